/** `enable` and `disable dynamic-cookie`, `set dynamic-cookie-key`: names of servers that are made of their addresses. */
import type { Proxy } from '../config/proxy-model.ts';
import type { Call, CliEnv, Command } from './command.ts';
import { onBackend } from './find.ts';
import { NO_ROOM } from './ssl-transaction.ts';

/** A command that ends in `backend <backend>`, in force everywhere when it says nothing. */
function onCookies(change: (env: CliEnv, proxy: Proxy, args: readonly string[]) => boolean | string): Command['run'] {
  return onBackend(({ env, args }: Call, proxy) => {
    const done = change(env, proxy, args.slice(1));
    return typeof done === 'string' ? done : done ? '' : NO_ROOM;
  });
}

const turned = (on: boolean) => onCookies(({ dynamicCookies }, { index }) => dynamicCookies.setDynamic(index, on));

const setKey = onCookies(({ dynamicCookies }, { index }, [key]) =>
  key === undefined ? 'String value expected.' : dynamicCookies.setKey(index, key),
);

export const COOKIE_COMMANDS: readonly Command[] = [
  {
    words: 'disable dynamic-cookie backend',
    usage: '<bk>',
    help: 'disable dynamic cookies on a specific backend',
    level: 'admin',
    run: turned(false),
  },
  {
    words: 'enable dynamic-cookie backend',
    usage: '<bk>',
    help: 'enable dynamic cookies on a specific backend',
    level: 'admin',
    run: turned(true),
  },
  {
    words: 'set dynamic-cookie-key backend',
    usage: '<bk> <k>',
    help: 'change a backend secret key for dynamic cookies',
    level: 'admin',
    run: setKey,
  },
];
