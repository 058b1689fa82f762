/** `set server <b>/<s> name <new>`: the server goes by another name in every thread, until the configuration is read again. */
import { type Model, renameServer } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { serverWord, type Target } from '../health/target.ts';
import { ADMIN_MAINT } from '../shm/words.ts';
import { type CliEnv, later, type Reply } from './command.ts';
import { silence } from './in-force.ts';
import { fetchNaming } from './sampled.ts';

/** What a name is made of. */
const NAME = /^[\w:.-]+$/;

export function setName(env: CliEnv, target: Target, [name = '']: readonly string[]): Reply {
  const { proxy, server } = target;
  if (!NAME.test(name)) return "'set server <srv> name' expects a name of letters, digits, '-', '_', '.' and ':'.";
  if ((serverWord(env.memory, target, 'admin') & ADMIN_MAINT) === 0) {
    return 'Only servers in maintenance mode can be renamed.';
  }
  if (proxy.servers.some(other => other.name === name && !other.removed)) {
    return 'Already exists a server with the same name in backend.';
  }
  const user = userOf(env.model, proxy, server.index);
  if (user !== null) return `This server cannot be renamed at runtime: ${user} names it.`;
  return later(done =>
    env.asker.place({ type: 'server', proxy: proxy.index, server: { ...server, name } }, () => {
      env.asker.ask({ type: 'rename', proxy: proxy.index, server: server.index, name }, answers => {
        renameServer(server, name);
        done(silence(answers));
      });
    }),
  );
}

/** What in the configuration knows the server by its name; null = nothing. */
function userOf({ proxies, ...rest }: Model, proxy: Proxy, index: number): string | null {
  const { name } = proxy.servers[index]!;
  if (proxy.useServer.some(rule => rule.server === index)) return "a 'use-server' rule";
  const tracked = proxies.some(other =>
    other.servers.some(({ track, removed }) => !removed && track?.proxy === proxy.index && track.server === index),
  );
  if (tracked) return 'the track of another server';
  const names = [`${proxy.name}/${name}`, name];
  const sampled = fetchNaming({ proxies, ...rest }, 'srv', text => names.includes(text));
  return sampled === null ? null : `the sample fetch '${sampled}'`;
}
