/** `cookie`: persistence by a cookie that names the server. */
import type { Cursor } from './cursor.ts';
import type { Draft, ProxyDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { Cookie } from './proxy-model.ts';

type Made = Draft<Cookie>;

const MODES: readonly Cookie['mode'][] = ['rewrite', 'insert', 'prefix'];
const FLAGS = ['indirect', 'nocache', 'postonly', 'preserve', 'httponly', 'secure', 'dynamic'] as const;
/** [the word, the field, how HAProxy calls its value]. */
const AGES = [
  ['maxidle', 'maxidleS', 'idletime'],
  ['maxlife', 'maxlifeS', 'lifetime'],
] as const;
const OPTIONS = [...MODES, ...FLAGS, 'domain', 'attr', ...AGES.map(([name]) => name)];
const ONLY = `'cookie' supports ${OPTIONS.map(name => `'${name}'`).join(', ')} options`;
const PRESERVE = "cookie 'preserve' requires at least 'insert' or 'indirect'";
const INCOMPATIBLE = "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible";

/** Reads one option. False after reporting. */
function option(cursor: Cursor, cookie: Made, modes: Cookie['mode'][]): boolean {
  const { text } = cursor.next()!;
  const mode = MODES.find(name => name === text);
  const flag = FLAGS.find(name => name === text);
  const age = AGES.find(([name]) => name === text);
  if (mode !== undefined) modes.push(mode);
  else if (flag !== undefined) cookie[flag] = true;
  else if (text === 'domain' || text === 'attr') {
    const value = cursor.next();
    if (value === null) cursor.error(`'${text}' expects <${text === 'attr' ? 'value' : text}> as argument`);
    else if (/[;\p{Cc}]/u.test(value.text)) cursor.error(`'${text}': character not permitted in '${value.text}'`);
    else return cookie[text === 'attr' ? 'attrs' : 'domains'].push(value.text) > 0;
    return false;
  } else if (age !== undefined) {
    const [name, field, what] = age;
    if (cursor.left === 0) cursor.error(`'${name}' expects <${what}> in seconds as argument`);
    const ms = cursor.left === 0 ? null : cursor.expectTime(name, 's');
    if (ms === null) return false;
    cookie[field] = Math.floor(ms / 1000);
  } else {
    cursor.error(ONLY);
    return false;
  }
  return true;
}

function parse(cursor: Cursor, proxy: ProxyDraft) {
  const name = cursor.next();
  if (name === null) return cursor.error("'cookie' expects <cookie_name> as argument");
  const cookie: Made = {
    name: name.text,
    mode: 'passive',
    indirect: false,
    nocache: false,
    postonly: false,
    preserve: false,
    httponly: false,
    secure: false,
    domains: [],
    attrs: [],
    maxidleS: 0,
    maxlifeS: 0,
    dynamic: false,
  };
  const modes: Cookie['mode'][] = [];
  while (cursor.left > 0) if (!option(cursor, cookie, modes)) return;
  if (modes.length > 1) return cursor.error(INCOMPATIBLE, undefined, name);
  cookie.mode = modes[0] ?? 'passive';
  if (cookie.preserve && cookie.mode !== 'insert' && !cookie.indirect) return cursor.error(PRESERVE, undefined, name);
  proxy.cookie = cookie;
}

export const COOKIE: Keyword<ProxyDraft> = supported({
  name: 'cookie',
  where: 'DLB',
  args: '<name> [rewrite | insert | prefix] [indirect] [nocache] [postonly] [preserve] [httponly] [secure] [domain <domain>]* [maxidle <idle>] [maxlife <life>] [dynamic] [attr <value>]*',
  doc: 'Keeps a client on its server by a cookie.',
  parse,
  good: [
    'cookie SRV',
    'cookie SERVERID insert indirect nocache',
    'cookie JSESSIONID prefix nocache',
    'cookie S insert maxidle 30m maxlife 8h',
    'cookie S insert indirect dynamic',
    'cookie S insert httponly secure domain .a domain .b attr SameSite=None',
  ],
  bad: [
    ['cookie', "'cookie' expects <cookie_name> as argument"],
    ['cookie A foo', ONLY],
    ['cookie A insert rewrite', INCOMPATIBLE],
    ['cookie A preserve', PRESERVE],
    ['cookie A domain', "'domain' expects <domain> as argument"],
    ['cookie A insert maxidle', "'maxidle' expects <idletime> in seconds as argument"],
    ['cookie A insert maxlife', "'maxlife' expects <lifetime> in seconds as argument"],
  ],
});
