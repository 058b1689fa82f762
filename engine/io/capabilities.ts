/** Capabilities that `setcap` knows, with the system's numbers (<linux/capability.h>). */
export const CAPABILITIES: Readonly<Record<string, number>> = {
  cap_net_bind_service: 10,
  cap_net_admin: 12,
  cap_net_raw: 13,
  cap_sys_admin: 21,
};
