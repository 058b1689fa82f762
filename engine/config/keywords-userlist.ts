/** Keywords of the userlist section (manual 12.2). */
import { canCrypt } from '../io/crypt.ts';
import type { UserlistDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';

export const USERLIST: readonly Keyword<UserlistDraft>[] = [
  supported({
    name: 'group',
    where: 'U',
    args: '<name> [users <user>,<user>,...]',
    doc: 'A group of users.',
    parse(cursor, list) {
      const name = cursor.expectWord('group');
      if (name === null) return;
      if (list.groups.some(group => group.name === name.text)) {
        return cursor.warning(`ignoring duplicated group '${name.text}' in userlist '${list.name}'`);
      }
      const users = cursor.match('users') ? (cursor.expectWord('users')?.text.split(',') ?? []) : [];
      list.groups.push({ name: name.text, users });
    },
    good: ['group g', 'group h users u'],
    bad: [
      ['group', "'group' expects an argument"],
      ['group g foo', "'group' cannot handle unexpected argument 'foo'"],
    ],
  }),
  supported({
    name: 'user',
    where: 'U',
    args: '<name> { password | insecure-password } <password> [groups <group>,<group>,...]',
    doc: 'A user; `password` is crypt(3) text, `insecure-password` plain.',
    parse(cursor, list) {
      const name = cursor.expectWord('user');
      if (name === null) return;
      const kind = cursor.expectOneOf('user', ['password', 'insecure-password']);
      const password = kind === null ? null : cursor.expectWord(kind);
      if (password === null) return;
      if (kind === 'password' && !canCrypt()) {
        return cursor.error(
          `'password' needs the system's libcrypt`,
          "write 'insecure-password' and the plain password",
        );
      }
      const groups = cursor.match('groups') ? (cursor.expectWord('groups')?.text.split(',') ?? []) : [];
      if (list.users.some(user => user.name === name.text)) {
        return cursor.warning(`ignoring duplicated user '${name.text}' in userlist '${list.name}'`, undefined, name);
      }
      list.users.push({ name: name.text, password: password.text, crypted: kind === 'password', groups });
    },
    good: ['user u insecure-password secret', 'user v password $6$abc groups g'],
    bad: [
      ['user', "'user' expects an argument"],
      ['user u password', "'password' expects an argument"],
      ['user u foo', "'u' expects 'password' or 'insecure-password' as user, not 'foo'"],
    ],
  }),
];
