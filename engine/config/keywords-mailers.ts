/** `mailers` sections (manual 12.3), and `email-alert` in the proxies: who is told by mail when servers go up and down. */
import type { Address } from '../io/contract.ts';
import { LEVELS } from '../log/syslog.ts';
import { type Accepts, parseEndpoint, SERVER_ACCEPTS } from './address.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft, Reference } from './draft.ts';
import { reference, time } from './fields.ts';
import { type Keyword, supported } from './keyword.ts';
import type { Place } from './model.ts';
import type { EmailAlert, Mailer } from './proxy-model.ts';
import { didYouMean } from './suggest.ts';

export interface MailersDraft extends Place {
  readonly name: string;
  timeoutMs: number;
  readonly mailers: Mailer[];
}

const MAILER_ACCEPTS: Accepts = { ...SERVER_ACCEPTS, port: 'required', offset: false, unix: false, mptcp: false };

/** What a proxy says; null and '' = nothing yet. */
export interface EmailAlertDraft {
  mailers: Reference | null;
  from: string;
  to: string;
  level: number;
  myhostname: string;
}

const ALERT = LEVELS.indexOf('alert');
const MAIL_TIMEOUT_MS = 10_000;

export function newEmailAlert(): EmailAlertDraft {
  return { mailers: null, from: '', to: '', level: ALERT, myhostname: '' };
}

export function newMailers({ file, line }: Place, name: string): MailersDraft {
  return { file, line, name, timeoutMs: MAIL_TIMEOUT_MS, mailers: [] };
}

export const MAILERS: readonly Keyword<MailersDraft>[] = [
  supported({
    name: 'mailer',
    where: 'M',
    args: '<name> <address>:<port>',
    doc: 'A mail server: each is told.',
    parse(cursor, section, { resources }) {
      const [name, address] = [cursor.next(), cursor.next()];
      if (name === null || address === null)
        return cursor.error("'mailer' expects <name> and <addr>:<port> as arguments");
      const endpoint = parseEndpoint(address.text, MAILER_ACCEPTS, resources.env);
      if ('error' in endpoint) return cursor.error(`'mailer': ${endpoint.error}`);
      const { address: numeric, hostname, family, port } = endpoint.value;
      const found: Address | null = hostname === null ? numeric : resources.resolve(hostname, family);
      if (found === null) return cursor.error(`'mailer': could not resolve address '${hostname}'`);
      section.mailers.push({ name: name.text, address: { ...found, port } });
    },
    good: ['mailer one 127.0.0.1:25'],
    bad: [
      ['mailer', "'mailer' expects <name> and <addr>:<port> as arguments"],
      ['mailer one', "'mailer' expects <name> and <addr>:<port> as arguments"],
      ['mailer one 1.2.3.4.5:25', "'mailer': invalid address: '1.2.3.4.5' in '1.2.3.4.5:25'"],
    ],
  }),
  time({ name: 'timeout mail', where: 'M', doc: 'How long a mail may take.' }, 'timeoutMs', 'ms', { min: 1 }),
];

function text(what: 'from' | 'to' | 'myhostname', args: string, doc: string): Keyword<ProxyDraft> {
  const name = `email-alert ${what}`;
  return supported<ProxyDraft>({
    ...{ name, where: 'DFLB', args, doc },
    parse(cursor, proxy) {
      const word = cursor.next();
      if (word === null) return cursor.error(`'${name}' expects an argument`);
      if (/[\r\n]/.test(word.text)) return cursor.error(`'${name}': '${word.text}' is more than one line`);
      proxy.emailAlert = { ...proxy.emailAlert, [what]: word.text };
    },
    good: [`${name} someone@example.org`],
    bad: [
      [name, `'${name}' expects an argument`],
      [`${name} a b`, `'${name}' cannot handle unexpected argument 'b'`],
    ],
  });
}

export const EMAIL_ALERT: readonly Keyword<ProxyDraft>[] = [
  text('from', '<address>', 'Sender of mails about server states.'),
  text('to', '<address>', 'Receiver of mails about server states.'),
  text('myhostname', '<name>', 'How the sender greets the mail server.'),
  supported<ProxyDraft>({
    name: 'email-alert level',
    where: 'DFLB',
    args: '<level>',
    doc: 'Which changes are worth a mail: those of this syslog level or a graver one.',
    parse(cursor, proxy) {
      const level = cursor.expectOneOf('email-alert level', LEVELS);
      if (level !== null) proxy.emailAlert = { ...proxy.emailAlert, level: LEVELS.indexOf(level) };
    },
    good: ['email-alert level notice'],
    bad: [
      [
        'email-alert level x',
        "'email-alert level' expects 'emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info' or 'debug', not 'x'",
      ],
    ],
  }),
  supported<ProxyDraft>({
    name: 'email-alert mailers',
    where: 'DFLB',
    args: '<section>',
    doc: 'Where mails are sent through.',
    parse(cursor, proxy) {
      if (cursor.next() === null) return cursor.error("'email-alert mailers' expects an argument");
      proxy.emailAlert = { ...proxy.emailAlert, mailers: reference(cursor) };
    },
    good: ['email-alert mailers m'],
    bad: [['email-alert mailers', "'email-alert mailers' expects an argument"]],
  }),
];

/** Mailers that proxies name, and alerts that lack something: they are not sent. */
export function checkEmailAlert(proxy: ProxyDraft, sections: readonly MailersDraft[], diagnostics: Diagnostics): void {
  const { mailers, from, to } = proxy.emailAlert;
  const names = sections.map(({ name }) => name);
  if (mailers !== null && !names.includes(mailers.name)) {
    const message = `unable to find mailers '${mailers.name}'`;
    diagnostics.mark('alert', mailers, message, didYouMean(mailers.name, names));
  }
  const said = [mailers !== null, from !== '', to !== ''];
  if (!said.includes(true) || !said.includes(false)) return;
  const message = `'email-alert' of '${proxy.name}' is ignored: it needs 'mailers', 'from' and 'to'`;
  diagnostics.report('warning', proxy, message);
}

/** What the model has of it; null = no mails. */
export function emailAlertOf(draft: EmailAlertDraft, sections: readonly MailersDraft[]): EmailAlert | null {
  const { mailers, from, to, level, myhostname } = draft;
  const section = sections.find(({ name }) => name === mailers?.name);
  if (section === undefined || from === '' || to === '') return null;
  return { from, to, level, myhostname, timeoutMs: section.timeoutMs, mailers: section.mailers };
}
