/** Which names are served with which certificates: `show ssl sni`; and what OpenSSL has loaded: `show ssl providers`. */
import { parseTime } from '../config/units.ts';
import { wallMs } from '../time.ts';
import { certificatesOf, filtersOf } from '../tls/listener.ts';
import { providers } from '../tls/providers.ts';
import { readX509, timeMs, timeText } from '../tls/x509.ts';
import type { Call, CliEnv, Command } from './command.ts';
import { type TlsBind, tlsBinds } from './ssl-uses.ts';

const HEADER = ['# Frontend/Bind', 'SNI', 'Negative Filter', 'Type', 'Filename', 'NotAfter', 'NotBefore'].join('\t');

interface Options {
  frontend: string | null;
  /** Only certificates that are not valid any more then. Milliseconds since 1970. */
  expiredMs: number | null;
}

/** A text says what is wrong. */
function readOptions(args: readonly string[]): Options | string {
  let [frontend, expired, offsetMs]: [string | null, boolean, number] = [null, false, 0];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '-A') expired = true;
    else if (args[i] === '-f' && args[i + 1] !== undefined) frontend = args[++i]!;
    else if (args[i] === '-t' && args[i + 1] !== undefined) {
      const time = parseTime(args[++i]!, 's');
      if ('error' in time) return `'-t' expects a time offset, not '${args[i]}'`;
      offsetMs = time.value;
    } else return "Invalid parameters, 'show ssl sni' takes: [-f <frontend>] [-A] [-t <offset>]";
  }
  return { frontend, expiredMs: expired ? wallMs() + offsetMs : null };
}

function rowsOf(env: CliEnv, { frontend, bind, tls }: TlsBind, expiredMs: number | null): string[] {
  const entries = certificatesOf(tls, env.tls.store);
  const chosen = entries.some(({ isDefault }) => isDefault);
  return entries.flatMap((entry, i) => {
    const certificate = env.tls.store.certificate(entry.certificate);
    const x509 = readX509(certificate.leaf);
    if (x509 === null || (expiredMs !== null && timeMs(x509.notAfter) > expiredMs)) return [];
    const filters = filtersOf(entry, certificate);
    const names = filters.filter(name => !name.startsWith('!') && name !== '*');
    const not = filters.filter(name => name.startsWith('!')).join(' ');
    const isDefault = chosen ? entry.isDefault : i === 0 && !tls.strictSni;
    const times = [timeText(x509.notAfter), timeText(x509.notBefore)];
    return [...names, ...(isDefault ? ['*'] : [])].map(name => {
      const negative = name.startsWith('*.') && not !== '' ? not : '-';
      const place = `${frontend}/${bind.file}:${bind.line}`;
      return [place, name, negative, certificate.keyType, certificate.name, ...times].join('\t');
    });
  });
}

function showSni({ env, args }: Call): string {
  const options = readOptions(args);
  if (typeof options === 'string') return options;
  const { frontend, expiredMs } = options;
  const binds = tlsBinds(env).filter(place => frontend === null || place.frontend === frontend);
  if (frontend !== null && !env.model.proxies.some(({ name }) => name === frontend)) return 'No such frontend.';
  return [HEADER, ...binds.flatMap(place => rowsOf(env, place, expiredMs))].join('\n');
}

export const SSL_SNI_COMMANDS: readonly Command[] = [
  {
    words: 'show ssl sni',
    usage: '[-f <fe>] [-A] [-t <time>]',
    help: 'show the list of SNI and their corresponding filename',
    level: 'user',
    run: showSni,
  },
  {
    words: 'show ssl providers',
    usage: '',
    help: 'show loaded SSL providers',
    level: 'user',
    run: () => ['Loaded providers : ', ...providers().map(name => `\t- ${name}`)].join('\n'),
  },
];
