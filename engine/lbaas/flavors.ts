/** Flavours: what an operator lets load balancers be. A row per setting that the data of a flavour's profile may have. */
import { badRequest, notFound, unsupported } from './errors.ts';
import type { Flavor, FlavorProfile } from './items.ts';
import type { Reader } from './store.ts';

interface Setting {
  readonly most: number;
  readonly description: string;
}

/** Whoever has one of them has a process of its own: they are settings of a whole process. */
export const FLAVOR_SETTINGS: Readonly<Record<'connections_max' | 'threads', Setting>> = {
  threads: { most: 64, description: 'Threads that serve traffic.' },
  connections_max: { most: 1_000_000, description: 'Connections at the same time, of all listeners together.' },
};

const settingOf = (name: string): Setting | null =>
  Object.hasOwn(FLAVOR_SETTINGS, name) ? FLAVOR_SETTINGS[name as keyof typeof FLAVOR_SETTINGS] : null;

/** What a deployment takes from a flavour. */
interface Flavored {
  readonly threads: number;
  readonly connectionsMax: number | null;
}

export const NO_FLAVOR: Flavored = { threads: 1, connectionsMax: null };

export function flavorOf(reader: Reader, id: string | null): Flavored {
  const profile = id === null ? undefined : profileOf(reader, reader.get('flavor', id));
  if (profile === undefined) return NO_FLAVOR;
  const { threads, connections_max } = JSON.parse(profile.flavor_data) as Partial<Record<string, number>>;
  return { threads: threads ?? NO_FLAVOR.threads, connectionsMax: connections_max ?? NO_FLAVOR.connectionsMax };
}

function profileOf(reader: Pick<Reader, 'get'>, flavor: Flavor | undefined): FlavorProfile | undefined {
  return flavor === undefined ? undefined : reader.get('flavorprofile', flavor.flavor_profile_id);
}

/** The provider that a flavour is of. @throws Refusal when there is none, or nobody may choose it */
export function providerOfFlavor(reader: Pick<Reader, 'get'>, id: string): string {
  const flavor = reader.get('flavor', id);
  if (flavor === undefined) throw notFound('Flavor', id);
  if (!flavor.enabled) throw badRequest(`The selected flavor is not allowed in this deployment: ${id}`);
  return profileOf(reader, flavor)!.provider_name;
}

/** @throws Refusal that names what of the data is wrong */
export function checkFlavorData(provider: string, text: string): void {
  const wrong = (why: string) => badRequest(`Invalid input for field/attribute flavor_data. Value: '${text}'. ${why}`);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    data = null;
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw wrong('It is no JSON object');
  for (const [name, value] of Object.entries(data)) {
    const setting = settingOf(name);
    if (setting === null) {
      const known = Object.keys(FLAVOR_SETTINGS).join(', ');
      const option = `flavor_data ${name} (there are ${known})`;
      throw unsupported(option, provider);
    }
    if (!Number.isInteger(value) || value < 1 || value > setting.most) {
      throw wrong(`${name} should be a number from 1 to ${setting.most}`);
    }
  }
}
