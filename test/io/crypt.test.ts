import { expect, test } from 'vitest';
import { canCrypt, cryptHash } from '../../engine/io/crypt.ts';
import { checkPassword } from '../../engine/sample/password.ts';

/** As `openssl passwd -5` and `-6` make them. */
const HASHES = [
  ['$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5', 'Hello world!'],
  [
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
    'Hello world!',
  ],
] as const;

test.runIf(canCrypt()).each(HASHES)('%s', (hash, password) => {
  const user = { name: 'u', password: hash, crypted: true, groups: [] };
  expect(cryptHash(password, hash)).toBe(hash);
  expect(checkPassword(user, password)).toBe(true);
  expect(checkPassword(user, 'Hello world')).toBe(false);
  expect(checkPassword(user, '')).toBe(false);
});

test('text that is no hash lets nobody in', () => {
  const user = { name: 'u', password: '*', crypted: true, groups: [] };
  expect(checkPassword(user, '*')).toBe(false);
});
