/** Converters of application protocols (manual 7.3.1): FIX messages, MQTT packets. */
import type { Args } from './arguments.ts';
import type { Convert } from './context.ts';
import { mqttField, mqttPacket, mqttProblem } from './mqtt.ts';
import { type ConverterRow, converter, plainConverter } from './row.ts';
import { type Sample, view } from './sample.ts';

const SOH = 1;
const EQUALS = 61;

/** Tags of FIX by name. */
const TAGS: Readonly<Record<string, number>> = {
  BeginString: 8,
  BodyLength: 9,
  MsgType: 35,
  SenderCompID: 49,
  TargetCompID: 56,
  CheckSum: 10,
};

function tagOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : (TAGS[text] ?? -1);
}

function fixValue(args: Args): Convert {
  const tag = String(tagOf(args.text(0)));
  return sample => {
    const { bytes, start, end } = sample;
    for (let at = start; at < end; ) {
      const equals = bytes.indexOf(EQUALS, at);
      const stop = bytes.indexOf(SOH, at);
      if (equals < 0 || stop < 0 || stop >= end || equals > stop) return false;
      if (view(bytes).toString('latin1', at, equals) === tag) return sample.setBin(bytes, equals + 1, stop);
      at = stop + 1;
    }
    return false;
  };
}

const VERSION = /^(?:FIX\.4\.[0-4]|FIX\.5\.0(?:SP[12])?|FIXT\.1\.1)$/;

/** BeginString, BodyLength with the right length, MsgType, ..., CheckSum with the right sum; all tags numeric, none empty. */
function isFix(sample: Sample): boolean {
  const text = sample.text();
  const fields = text.split(String.fromCharCode(SOH));
  if (fields.pop() !== '' || fields.length < 4 || !fields.every(field => /^\d+=./.test(field))) return false;
  const [begin, length, type] = fields as [string, string, string];
  const sum = fields.at(-1)!;
  if (!begin.startsWith('8=') || !VERSION.test(begin.slice(2)) || !type.startsWith('35=')) return false;
  const bodyAt = begin.length + length.length + 2;
  const sumAt = text.length - sum.length - 1;
  if (length !== `9=${sumAt - bodyAt}`) return false;
  let total = 0;
  for (let i = 0; i < sumAt; i++) total += text.charCodeAt(i);
  return sum === `10=${String(total % 256).padStart(3, '0')}`;
}

function mqttValue(args: Args): Convert {
  const type = args.text(0);
  const field = args.text(1);
  return sample => mqttField(sample, type, field);
}

export const PROTOCOL_CONVERTERS: readonly ConverterRow[] = [
  plainConverter('fix_is_valid', 'bin', 'bool', 'It is a whole FIX message.', sample => sample.setBool(isFix(sample))),
  converter('fix_tag_value', 'tag:str', 'bin', 'bin', 'The value of a tag of a FIX message.', fixValue, {
    check: args => (tagOf(String(args[0])) < 0 ? `Unknown FIX tag name '${args[0]}'` : null),
    good: ['fix_tag_value(35)', 'fix_tag_value(MsgType)'],
    bad: [['fix_tag_value(zz)', "invalid args in converter 'fix_tag_value' : Unknown FIX tag name 'zz'"]],
  }),
  plainConverter('mqtt_is_valid', 'bin', 'bool', 'It is a whole MQTT packet.', sample =>
    sample.setBool(mqttPacket(sample) !== null),
  ),
  converter('mqtt_field_value', 'type:str field:str', 'bin', 'bin', 'A field of an MQTT packet.', mqttValue, {
    check: args => mqttProblem(String(args[0]), String(args[1])),
    good: ['mqtt_field_value(connect,username)', 'mqtt_field_value(1,33)', 'mqtt_field_value(connack,reason_code)'],
    bad: [
      ['mqtt_field_value(zz,a)', "invalid args in converter 'mqtt_field_value' : Unknown MQTT type 'zz'"],
      [
        'mqtt_field_value(connect,zz)',
        "invalid args in converter 'mqtt_field_value' : Unknown MQTT field name 'zz' for packet type 'connect'",
      ],
    ],
  }),
];
