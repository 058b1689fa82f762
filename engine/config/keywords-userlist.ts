/** Keywords of the userlist section (manual 12.2). */
import { canCrypt } from '../io/crypt.ts';
import type { UserlistDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';

const KINDS = ['password', 'insecure-password'] as const;
/** What no password is crypted to, as in shadow(5). */
const NO_PASSWORD = '*';

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
    args: '<name> [{ password | insecure-password } <password>] [groups <group>,<group>,...]',
    doc: 'A user; `password` is crypt(3) text, `insecure-password` plain; with none the user is never let in.',
    parse(cursor, list) {
      const name = cursor.expectWord('user');
      if (name === null) return;
      const kind = KINDS.find(word => cursor.match(word)) ?? null;
      const password = kind === null ? NO_PASSWORD : (cursor.expectWord(kind)?.text ?? null);
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
      list.users.push({ name: name.text, password, crypted: kind !== 'insecure-password', groups });
    },
    good: ['user u insecure-password secret', 'user v password $6$abc groups g', 'user w', 'user x groups g,h'],
    bad: [
      ['user', "'user' expects an argument"],
      ['user u password', "'password' expects an argument"],
      ['user u foo', "'user' cannot handle unexpected argument 'foo'"],
    ],
  }),
];
