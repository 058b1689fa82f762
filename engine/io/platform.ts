/** What the system says of itself and of the process; what it does not tell is left out. */
import fs from 'node:fs';
import os from 'node:os';

/** A range of addresses that a file is mapped to; both ends belong to it. */
interface LoadedFile {
  readonly path: string;
  readonly first: bigint;
  readonly last: bigint;
}

/** Who the process was when it started: it may drop privileges later. */
const BOOT = { uid: process.getuid?.(), gid: process.getgid?.() };

function read(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** The files that are loaded as code, the program first, in the order of their addresses. */
export function loadedFiles(): LoadedFile[] {
  const files = new Map<string, { path: string; first: bigint; last: bigint; runs: boolean }>();
  for (const line of read('/proc/self/maps').split('\n')) {
    const [, from, to, rights, path] = /^(\w+)-(\w+) (\S+) \S+ \S+ \d+ +(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const [first, last] = [BigInt(`0x${from}`), BigInt(`0x${to}`) - 1n];
    const known = files.get(path);
    if (known === undefined) files.set(path, { path, first, last, runs: rights!.includes('x') });
    else {
      known.last = last;
      known.runs ||= rights!.includes('x');
    }
  }
  const program = process.execPath;
  const code = [...files.values()].filter(({ runs }) => runs);
  return [...code.filter(({ path }) => path === program), ...code.filter(({ path }) => path !== program)];
}

/** Lines of `name: value`, under their titles. */
export function platformFacts(): { readonly title: string; readonly rows: readonly (readonly [string, string])[] }[] {
  const limits = /^Max open files +(\S+) +(\S+)/m.exec(read('/proc/self/limits'));
  return [
    {
      title: 'Platform info',
      rows: told([
        ['machine vendor', read('/sys/class/dmi/id/sys_vendor')],
        ['machine family', read('/sys/class/dmi/id/product_family')],
        ['cpu model', os.cpus()[0]?.model],
        ['virtual machine', /^flags\s*:.*\bhypervisor\b/m.test(read('/proc/cpuinfo')) ? 'yes' : 'no'],
        ['container', isContainer() ? 'yes' : 'no'],
        ['OS name', os.type()],
        ['OS release', os.release()],
        ['OS version', os.version()],
        ['OS architecture', os.machine()],
        ['node name', os.hostname()],
      ]),
    },
    {
      title: 'Process info',
      rows: told([
        ['pid', process.pid],
        ['boot uid', BOOT.uid],
        ['boot gid', BOOT.gid],
        ['fd limit (soft)', limits?.[1]],
        ['fd limit (hard)', limits?.[2]],
        ['runtime', `Node.js ${process.versions.node}, V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl}`],
      ]),
    },
  ];
}

function told(rows: readonly (readonly [string, string | number | undefined])[]): (readonly [string, string])[] {
  return rows.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => [name, String(value)]);
}

function isContainer(): boolean {
  return (
    fs.existsSync('/.dockerenv') || fs.existsSync('/run/.containerenv') || /\bcontainer=/.test(read('/proc/1/environ'))
  );
}
