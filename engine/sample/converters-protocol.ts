/** Converters of application protocols (manual 7.3.1): FIX messages, MQTT packets. */
import type { Args } from './arguments.ts';
import type { Convert } from './context.ts';
import { fixState, fixValue, INCOMPLETE } from './fix.ts';
import { mqttField, mqttPacket, mqttProblem } from './mqtt.ts';
import { type ConverterRow, converter, plainConverter } from './row.ts';
import type { Sample } from './sample.ts';

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
  return /^0*[1-9]\d*$/.test(text) ? Number(text) : (TAGS[text] ?? -1);
}

function fixTag(args: Args): Convert {
  const tag = tagOf(args.text(0));
  return sample => fixValue(sample, tag);
}

/** Too few bytes to tell are no value, until there are more. */
function isFix(sample: Sample): boolean {
  const state = fixState(sample);
  sample.mayChange = state === INCOMPLETE;
  return state !== INCOMPLETE && sample.setBool(state === 1);
}

function isMqtt(sample: Sample): boolean {
  const valid = mqttPacket(sample) !== null;
  return !sample.mayChange && sample.setBool(valid);
}

function mqttValue(args: Args): Convert {
  const type = args.text(0);
  const field = args.text(1);
  return sample => mqttField(sample, type, field);
}

export const PROTOCOL_CONVERTERS: readonly ConverterRow[] = [
  plainConverter('fix_is_valid', 'bin', 'bool', 'It begins with a whole FIX message.', isFix),
  converter('fix_tag_value', 'tag:str', 'bin', 'bin', 'The value of a tag of a FIX message.', fixTag, {
    check: args => (tagOf(String(args[0])) < 0 ? `Unknown FIX tag name '${args[0]}'` : null),
    good: ['fix_tag_value(35)', 'fix_tag_value(MsgType)'],
    bad: [['fix_tag_value(zz)', "invalid args in converter 'fix_tag_value' : Unknown FIX tag name 'zz'"]],
  }),
  plainConverter('mqtt_is_valid', 'bin', 'bool', 'It begins with a whole MQTT packet.', isMqtt),
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
