import { wallMs } from '../../engine/time.ts';

/** Now, as OpenStack writes it: ISO 8601 in UTC, without a zone. */
export function timestamp(): string {
  return new Date(wallMs()).toISOString().slice(0, 19);
}
