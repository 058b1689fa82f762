/** Asks a real HAProxy for the values of expressions: each is an answer of its own, chosen by a header of the request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACL_LINES, ACL_REQUEST, MAP_FILES, VECTOR_SPECS } from '../sample/vector-specs.ts';

export type Recorded = Record<string, Record<string, string | null>>;

/** A word in strong quotes: nothing in it is special but the quote itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function section(name: string, rules: readonly string[], socket: string): string {
  return `frontend ${name}\n bind unix@${socket}\n${rules.map(rule => ` ${rule}\n`).join('')}`;
}

/** The value of every expression of `VECTOR_SPECS` by its spec's name, null = nothing found; ACLs under `acls`. */
export async function recordSamples(): Promise<Recorded> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sample-'));
  for (const [name, text] of Object.entries(MAP_FILES)) writeFileSync(join(folder, name), text);
  const inFolder = (text: string): string => text.replace(/\b(\w+\.map)\b/g, join(folder, '$1'));
  const asked = VECTOR_SPECS.map(spec => {
    const rules = spec.expressions.flatMap((text, i) => {
      const which = `{ req.fhdr(x-which) -m str ${i} }`;
      const expression = inFolder(text);
      return [
        `http-request return status 200 content-type text/plain lf-string ${quoted(`=%[${expression}]=`)} if ${which} { ${quoted(expression)} -m found }`,
        `http-request return status 200 content-type text/plain string none if ${which}`,
      ];
    });
    return { name: spec.name, request: spec.request, keys: spec.expressions, rules };
  });
  const rules = ACL_LINES.flatMap((line, i) => {
    const which = `{ req.fhdr(x-which) -m str ${i} }`;
    const test = /^[A-Z]/.test(line) ? line : `{ ${line} }`;
    return [
      `http-request return status 200 content-type text/plain string =true= if ${which} ${test}`,
      `http-request return status 200 content-type text/plain string =false= if ${which}`,
    ];
  });
  asked.push({ name: 'acls', request: ACL_REQUEST, keys: ACL_LINES, rules });
  const sockets = asked.map((_, i) => join(folder, `${i}`));
  const proxied = asked.map(({ name, rules: lines }, i) => section(name, lines, sockets[i]!)).join('');
  // Clients of unix sockets have no address: they tell one by the PROXY protocol.
  const config = HEAD + proxied.replaceAll(/(bind unix@\S+)/g, '$1 accept-proxy');
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, config);
  let haproxy: ChildProcess | null = null;
  try {
    haproxy = spawn('haproxy', ['-f', file, '-db', '-q'], { stdio: ['ignore', 'inherit', 'inherit'] });
    const recorded: Recorded = {};
    for (const [i, { name, request, keys }] of asked.entries()) {
      recorded[name] = {};
      for (const [k, key] of keys.entries()) recorded[name][key] = await ask(sockets[i]!, request, k);
    }
    return recorded;
  } finally {
    haproxy?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

const HEAD = `global
  maxconn 100
  nbthread 1
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
userlist users
  group staff users joe
  group other
  user joe insecure-password secret
`;

async function ask(socket: string, request: string, which: number): Promise<string | null> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await exchange(socket, `${request}\r\nX-Which: ${which}\r\n\r\n`);
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
      if (!answer.startsWith('HTTP/1.')) throw new Error('no answer');
      return body.startsWith('=') ? body.slice(1, -1) : null;
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
}

function exchange(socket: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const conn = connect(socket, () => conn.write(`PROXY TCP4 127.0.0.1 127.0.0.1 34567 80\r\n${request}`, 'latin1'));
    conn.setEncoding('latin1');
    conn.on('data', data => {
      received += data;
      const [, length] = /content-length: (\d+)/i.exec(received) ?? [];
      const body = received.indexOf('\r\n\r\n') + 4;
      if (length !== undefined && received.length >= body + Number(length)) conn.end();
    });
    conn.on('end', () => resolve(received));
    conn.on('close', () => resolve(received));
    conn.on('error', reject);
  });
}
