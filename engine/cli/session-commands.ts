/** Commands about the connection itself: `help`, `prompt`, levels, modes. */
import { parseTime } from '../config/units.ts';
import { addressText } from '../io/address.ts';
import { boundAddress } from '../io/bind.ts';
import { allowed, type Call, type CliState, type Command, LEVELS, type Level, type Mode } from './command.ts';
import { helpText } from './help.ts';
import { DENIED, SEVERITY_OUTPUTS } from './severity.ts';

type Run = Command<unknown>['run'];

/** `operator`, `user`: a level can only be given up. */
function lower(level: Level): Run {
  return ({ state }) => {
    if (!allowed(state.level, level)) return DENIED;
    if (state.level !== level) state.expert = state.experimental = false;
    state.level = level;
    return '';
  };
}

/** `expert-mode [on|off]` and its like. */
export function modeCommand(name: Mode): Run {
  return ({ state, args }) => {
    if (args.length === 0) return `${TITLES[name]} is ${state[name] ? 'ON' : 'OFF'}`;
    state[name] = args[0] === 'on';
    return '';
  };
}

const TITLES: Readonly<Record<Mode, string>> = {
  expert: 'expert-mode',
  experimental: 'experimental-mode',
  debug: 'mcli-debug-mode',
};

function setTimeout({ state, args }: Call<unknown>): string {
  if (args[0] !== 'cli') return "'set timeout' only supports 'cli'.";
  if (args[1] === undefined) return 'Expects an integer value.';
  const time = parseTime(args[1], 's');
  if ('error' in time || time.value < 1) return 'Invalid timeout value.';
  state.timeoutMs = time.value;
  return '';
}

function setSeverityOutput({ state, args: [word] }: Call<unknown>): string {
  const output = SEVERITY_OUTPUTS.find(known => known === word);
  if (output === undefined) return "one of 'none', 'number', 'string' is a required argument";
  state.severityOutput = output;
  return '';
}

function showSockets({ sockets }: Call<unknown>): string {
  const rows = sockets.map(bind => {
    const address = boundAddress(bind);
    const kind = address === null ? 'fd' : address.family === 1 ? 'unix' : `ipv${address.family}`;
    const name = address === null ? bind.inheritedFd : addressText(address);
    return `${kind}@${name} ${bind.level} all`;
  });
  return ['# socket lvl processes', ...rows].join('\n');
}

/** `prompt [n|i|p|timed]*`; without a mode it goes from prompt to none, and from any other to prompt. */
function prompt({ state, args }: Call<unknown>): string {
  if (args.some(word => !Object.hasOwn(PROMPTS, word))) return PROMPT_HELP;
  if (!args.some(word => word !== 'timed')) setPrompt(state, !state.prompt, !state.prompt);
  for (const word of args) PROMPTS[word]!(state);
  return '';
}

const PROMPT_HELP = `Usage: prompt [help | n | i | p | timed]*
Changes what is done between two lines of commands:
   help    show this help
   n       end the connection after the line
   i       go on, without a prompt
   p       go on, with a prompt
   timed   show the uptime in the prompt, or not`;

const PROMPTS: Readonly<Record<string, (state: CliState) => void>> = {
  n: state => setPrompt(state, false, false),
  i: state => setPrompt(state, true, false),
  p: state => setPrompt(state, true, true),
  timed: state => {
    setPrompt(state, true, true);
    state.timed = !state.timed;
  },
};

function setPrompt(state: CliState, interactive: boolean, prompt: boolean): void {
  state.interactive = interactive;
  state.prompt = prompt;
}

function turn(change: (state: CliState) => void): Run {
  return ({ state }) => {
    change(state);
    return '';
  };
}

export const SESSION_COMMANDS: readonly Command<unknown>[] = [
  {
    words: 'echo',
    usage: '<text>',
    help: 'print text to the output',
    level: 'user',
    severity: 'info',
    run: ({ args }) => args.join(' '),
  },
  {
    words: 'expert-mode',
    usage: '[on|off]',
    help: 'enable/disable expert mode',
    level: 'admin',
    severity: 'info',
    run: modeCommand('expert'),
  },
  {
    words: 'experimental-mode',
    usage: '[on|off]',
    help: 'enable/disable experimental mode',
    level: 'admin',
    severity: 'info',
    run: modeCommand('experimental'),
  },
  {
    words: 'operator',
    usage: '',
    help: 'lower the level of the current CLI session to operator',
    level: 'user',
    run: lower('operator'),
  },
  {
    words: 'set severity-output',
    usage: '[none|number|string]',
    help: 'set presence of severity level in feedback information',
    level: 'user',
    run: setSeverityOutput,
  },
  {
    words: 'set timeout',
    usage: '[cli] <delay>',
    help: 'change a timeout setting',
    level: 'user',
    run: setTimeout,
  },
  {
    words: 'show cli level',
    usage: '',
    help: 'display the level of the current CLI session',
    level: 'user',
    severity: 'info',
    run: ({ state }) => state.level,
  },
  {
    words: 'show cli sockets',
    usage: '',
    help: 'dump list of cli sockets',
    level: 'user',
    run: showSockets,
  },
  {
    words: 'user',
    usage: '',
    help: 'lower the level of the current CLI session to user',
    level: 'user',
    run: lower(LEVELS[0]),
  },
  {
    words: 'help',
    usage: '[<command>]',
    help: 'list matching or all commands',
    level: 'user',
    severity: 'info',
    run: ({ commands, state, args }) => helpText(commands, state.level, args),
  },
  {
    words: 'prompt',
    usage: '[help | n | i | p | timed]*',
    help: 'toggle interactive mode with prompt',
    level: 'user',
    severity: 'info',
    run: prompt,
  },
  {
    words: 'quit',
    usage: '',
    help: 'disconnect',
    level: 'user',
    run: turn(state => {
      state.quit = true;
    }),
  },
];
