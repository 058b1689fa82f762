/** Refusals, in the words and statuses of OpenStack's own servers. */

/** What a client did wrong, or what cannot be done now. Thrown inside of a change it undoes the change. */
export class Refusal extends Error {
  /** HTTP status. */
  readonly status: number;
  /** The class's name in Neutron's errors: `PoolNotFound`. */
  readonly type: string;
  /** What Neutron says instead; null = the same. */
  readonly inNeutron: Refusal | null;

  constructor(status: number, type: string, message: string, inNeutron: Refusal | null = null) {
    super(message);
    this.status = status;
    this.type = type;
    this.inNeutron = inNeutron;
  }
}

export function badRequest(message: string, type = 'HTTPBadRequest'): Refusal {
  return new Refusal(400, type, message);
}

/** A field that is well-formed but means nothing. */
export function invalid(message: string): Refusal {
  return badRequest(`Validation failure: ${message}`);
}

/** @param title of the resource @param key in a body */
export function overQuota(title: string, key: string): Refusal {
  const neutrons = conflict(`Quota exceeded for resources: ['${key}'].`, 'OverQuota');
  return new Refusal(403, 'OverQuota', `Quota has been met for resources: ${title}`, neutrons);
}

/** @param option that other providers of the API have */
export function unsupported(option: string, provider = 'sluice'): Refusal {
  return new Refusal(501, 'UnsupportedOption', `Provider '${provider}' does not support a requested option: ${option}`);
}

export function notFound(title: string, id: string): Refusal {
  return new Refusal(404, `${title.replaceAll(' ', '')}NotFound`, `${title} ${id} not found.`);
}

export function conflict(message: string, type = 'Conflict'): Refusal {
  return new Refusal(409, type, message);
}
