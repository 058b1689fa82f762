/** `set anon`, `httpclient`, `debug dev`: over a socket, with a worker behind it. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { type CliRig, startCliRig } from './rig.ts';

async function start(lines = ''): Promise<CliRig> {
  const rig = await startCliRig(`global
  ${lines}
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend shop
  bind 127.0.0.1:1
  default_backend farm
backend farm
  server first 10.1.2.3:80
backend asked
  server one 127.0.0.1:81 agent-check agent-port 81
backend blocks
  stick-table type binary len 4 size 10 store gpc0
`);
  onTestFinished(() => rig.stop());
  return rig;
}

test('names and addresses as hashes, with one key for all that a session is shown', async () => {
  const { ask } = await start('anonkey 99');
  expect(await ask('show anon')).toBe('Anonymized mode disabled\n\n');
  expect(await ask('set anon on;show anon')).toBe('\nAnonymized mode enabled\nKey : 99\n\n');
  expect(await ask('set anon on 7;show anon;set anon off;show anon')).toBe(
    '\nAnonymized mode enabled\nKey : 7\n\n\nAnonymized mode disabled\n\n',
  );
  const conn = await ask('set anon on 7;show servers conn');
  const state = await ask('set anon on 7;show servers state farm');
  expect(conn + state).not.toMatch(/farm|first|10\.1\.2\.3/);
  const [backend, server] = /\n(\w{6})\/(\w{6}) /.exec(conn)!.slice(1);
  expect(state).toMatch(new RegExp(`\\n\\d+ ${backend} 1 ${server} IPV4\\(\\w{6}\\) `));
  expect(await ask('show servers conn')).toMatch(/\nfarm\/first \d\/1 10\.1\.2\.3 80 /);
});

test('the port of an agent is shown also when it is that of the server', async () => {
  const { ask } = await start('');
  expect(await ask('show servers state asked')).toMatch(/ 127\.0\.0\.1 .* 81 - 0 0 - - 81\n/);
});

test('a server without checks has no port for them that an offset would leave alone', async () => {
  const { ask } = await start();
  expect(await ask('set server farm/first addr 10.1.2.3 port -1')).toMatch(/^can't change <port> to port map/);
});

test('keys of stick tables that cannot be written', async () => {
  const { ask } = await start();
  const of = 'tables of type other than ip, ipv6, string and integer is not supported\n\n';
  expect(await ask('show table blocks key 1')).toBe(`Showing keys from ${of}`);
  expect(await ask('clear table blocks key 1')).toBe(`Removing keys from ${of}`);
  expect(await ask('set table blocks key 1 data.gpc0 1')).toBe(`Inserting keys into ${of}`);
});

test('keys out of range, and a global one that is changed', async () => {
  const { ask } = await start();
  expect(await ask('set anon')).toMatch(/^'set anon' only supports:/);
  expect(await ask('set anon maybe')).toMatch(/^'set anon' only supports:/);
  expect(await ask('set anon off 3')).toMatch(/^A key can't be set/);
  expect(await ask('set anon on 0')).toBe('Value out of range (1 to 4294967295 expected).\n\n');
  expect(await ask('set anon global-key 4294967296')).toBe('Value out of range (0 to 4294967295 expected).\n\n');
  expect(await ask('set anon global-key 4294967295;set anon on;show anon')).toContain('Key : 4294967295');
  expect(await ask('set anon global-key 0;set anon on;show anon')).toMatch(/Key : [1-9]\d*\n/);
});

test('show sess: options, and streams that nobody expects to be there', async () => {
  const { ask } = await start();
  expect(await ask('show sess susp show-uri')).toBe('\n');
  expect(await ask('show sess sus')).toBe("Unsupported option 'sus', try 'help' for more info.\n\n");
  expect(await ask('show sess help')).toMatch(/show-uri[\s\S]*susp/);
});

test('commands of a mode are refused outside of it, and leave their mark', async () => {
  const { ask } = await start();
  expect(await ask('debug dev write 1')).toBe('This command is restricted to expert mode only.\n\n');
  expect(await ask('set var proc.x int(1)')).toBe('This command is restricted to experimental mode only.\n\n');
  expect(await ask('help debug')).not.toContain('debug dev');
  expect(await ask('show info')).toMatch(/\nTainted: 0\n/);
  expect(await ask('expert-mode on;help debug')).toContain('debug dev exit [code]');
  expect(await ask('expert-mode on;debug dev write 3')).toBe('\n012\n\n');
  const info = await ask('show info');
  expect(info).toMatch(/\nTainted: 0x4\n/);
  expect(info).toMatch(/\nDebugCommandsIssued: 1\n/);
  await ask('experimental-mode on;set var proc.x int(1)');
  expect(await ask('show info')).toMatch(/\nTainted: 0xc\n/);
});

test('debug dev', async () => {
  const { ask, logged, exits } = await start();
  const expert = (command: string) => ask(`expert-mode on;debug dev ${command}`);
  expect(await expert('log one two')).toBe('\n\n');
  expect(logged).toEqual(['one two']);
  expect(await expert('exit 300')).toMatch(/^\nExpects an exit code/);
  expect(await expert('exit 3')).toBe('\n\n');
  expect(exits).toEqual([3]);
  expect(await expert('delay 1;debug dev loop 1')).toBe('\n\n\n');
  expect(await expert('delay x')).toMatch(/^\nExpects a number of milliseconds/);
  expect(await expert('write 130')).toHaveLength(133);
  expect(await expert('write')).toMatch(/^\nExpects a number of bytes/);
  expect(await expert('hash abc')).toBe('\nabc\n\n');
  expect(await expert('hash abc;set anon on 5;debug dev hash abc')).toMatch(/^\nabc\n\n\n[0-9a-f]{6}\n\n$/);
});

test('httpclient: what a server answers, and what is no request', async () => {
  const { ask } = await start('httpclient.retries 0');
  const heard: string[] = [];
  const server = http.createServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${request.headers.host}`);
    request.on('data', (piece: Buffer) => heard.push(`${piece}`));
    if (request.url === '/break') request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    else if (request.url === '/bad') request.socket.end('nonsense\r\n\r\n');
    else request.on('end', () => response.writeHead(200, { 'X-One': '1' }).end('the answer'));
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = (words: string) => ask(`expert-mode on;httpclient ${words}`);

  const answer = await get(`GET http://${at}/a?b#c`);
  expect(answer).toMatch(/^\nHTTP\/1.1 200 OK\nx-one: 1\r\n/);
  expect(answer).toMatch(/\r\n\r\nthe answer\n$/);
  expect(await get(`HEAD http://${at}`)).not.toContain('the answer');
  await get(`POST http://${at}/p <<\nmore\nlines\n`);
  expect(heard).toEqual([`GET /a?b ${at}`, `HEAD / ${at}`, `POST /p ${at}`, 'more\nlines']);

  expect(await get(`GET http://${at}/break`)).toMatch(/\r\n\r\nhalfNo answer: the server closed the connection before/);
  expect(await get(`GET http://${at}/bad`)).toMatch(/^\nNo answer: the answer is not valid/);
  expect(await get('GET http://127.0.0.1:1/')).toBe('\nNo answer: Connection refused.\n\n');
  expect(await get('GET')).toBe("\nCan't start the HTTP client: not enough parameters.\n\n");
  expect(await get('GET ftp://x/')).toMatch(/is no http or https URI/);
  expect(await get('FOO http://x/')).toMatch(/it has no method 'FOO'/);
  expect(await get('GET http://nowhere.invalid/')).toMatch(/'nowhere.invalid' has no address/);
  expect(await ask(`httpclient GET http://${at}/`)).toBe('This command is restricted to expert mode only.\n\n');
});

test('httpclient: whom a server is vouched for by', async () => {
  const authority = pemFile({ name: 'authority', ca: true });
  const pem = readFileSync(pemFile({ name: 'server', names: ['127.0.0.1'], issuer: authority }));
  const server = https.createServer({ key: pem, cert: pem }, (_, response) => response.end('secret'));
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const uri = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const get = async (lines: string) => {
    const { ask } = await start(`httpclient.retries 0\n  ${lines}`);
    return ask(`expert-mode on;httpclient GET ${uri}`);
  };
  expect(await get(`httpclient.ssl.ca-file ${authority}`)).toMatch(/\r\n\r\nsecret\n$/);
  expect(await get('httpclient.ssl.verify none')).toMatch(/\r\n\r\nsecret\n$/);
  const stranger = pemFile({ name: 'stranger', ca: true });
  expect(await get(`httpclient.ssl.ca-file ${stranger}`)).toBe('\nNo answer: TLS failed.\n\n');
  expect(await get('httpclient.ssl.ca-file /nowhere')).toMatch(/authorities of '\/nowhere' cannot be read/);
});

test('a payload is as long as the configuration lets it be', async () => {
  const { ask } = await start('tune.cli.max-payload-size 1k');
  expect(await ask(`echo a <<\n${'x'.repeat(900)}\n`)).toBe('a\n\n');
  expect(await ask(`echo a <<\n${'x'.repeat(2000)}\n`)).toBe('The payload is too long.\n\n');
  expect(await ask(`echo a <<\n${'x'.repeat(2000)}`)).toBe('The payload is too long.\n\n');
});
