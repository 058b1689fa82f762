/** `show peers`. */
import { showSection } from '../peers/show.ts';
import { wallMs } from '../time.ts';
import type { Call, Command } from './command.ts';
import { err, type Message } from './severity.ts';

/** `[dict|-] [<section>]`: a section may be called `dict`. */
function showPeers({ env, args }: Call): string | Message {
  const option = args[0] === 'dict' || args[0] === '-' ? args[0] : null;
  const name = args[option === null ? 0 : 1];
  const shown = env.peers.filter(section => name === undefined || section.name === name);
  if (shown.length === 0 && name !== undefined) return err('No such peers');
  const options = { wall: wallMs(), now: env.now(), dictionaries: option === 'dict' };
  return shown.map(section => showSection(section, options)).join('\n');
}

export const PEERS_COMMANDS: readonly Command[] = [
  {
    words: 'show peers',
    usage: '[dict|-] [section]',
    help: 'dump some information about all the peers or this peers section',
    level: 'user',
    run: showPeers,
  },
];
