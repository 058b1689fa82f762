/**
 * From one deployment to the next without a reload, where only members differ: commands of the runtime API. They are the
 * same in effect as the configuration that is kept on disk beside them.
 */
import { configurationText, farmsOf, type Site, serverWords } from './configuration.ts';
import type { Deployment, Farm, FarmMember, Front } from './deployment-model.ts';
import { backendName } from './lines.ts';
import { statRows } from './stat-rows.ts';

/** Commands in order, or null when a reload is needed. */
export function runtimeChange(before: Deployment, after: Deployment, site: Site): string[] | null {
  if (configurationText(withoutMembers(before), site) !== configurationText(withoutMembers(after), site)) return null;
  const commands: string[] = [];
  for (const [i, front] of after.fronts.entries()) {
    const old = farmsOf(before.fronts[i]!);
    for (const farm of farmsOf(front)) {
      const changes = farmChange(old.find(f => f.id === farm.id)!, farm, front, site);
      if (changes === null) return null;
      commands.push(...changes);
    }
  }
  return commands;
}

function withoutMembers(deployment: Deployment): Deployment {
  const bare = new Map<Farm, Farm>();
  const strip = (farm: Farm | null): Farm | null => {
    if (farm === null) return null;
    if (!bare.has(farm)) bare.set(farm, { ...farm, members: [] });
    return bare.get(farm)!;
  };
  const fronts = deployment.fronts.map(front => ({
    ...front,
    pool: strip(front.pool),
    policies: front.policies.map(policy => ({ ...policy, pool: strip(policy.pool) })),
  }));
  return { ...deployment, fronts };
}

function farmChange(before: Farm, after: Farm, front: Front, site: Site): string[] | null {
  const name = (member: FarmMember) => `${backendName(after, front)}/${member.id}`;
  const commands: string[] = [];
  for (const member of after.members) {
    const old = before.members.find(m => m.id === member.id);
    if (old === undefined) {
      if (!canAdd(after)) return null;
      commands.push(`add server ${name(member)} ${serverWords(member, after, site).join(' ')}`);
      if (after.monitors.length > 0) commands.push(`enable health ${name(member)}`);
      if (member.enabled) commands.push(`set server ${name(member)} state ready`);
      continue;
    }
    if (words({ ...old, weight: member.weight }, before, site) !== words(member, after, site)) return null;
    if (old.weight !== member.weight) commands.push(`set server ${name(member)} weight ${member.weight}`);
    if (old.enabled !== member.enabled) {
      commands.push(`set server ${name(member)} state ${member.enabled ? 'ready' : 'maint'}`);
    }
  }
  for (const gone of before.members.filter(m => !after.members.some(other => other.id === m.id))) {
    commands.push(`set server ${name(gone)} state maint`, `del server ${name(gone)}`);
  }
  return commands;
}

/** What a server line says besides weight and state; monitors and TLS of the pool are in it too. */
function words(member: FarmMember, farm: Farm, site: Site): string {
  return serverWords(member, farm, site).join(' ');
}

/** A server's cookie comes with the configuration only, and `balance source` has its table laid out at the start. */
function canAdd(farm: Farm): boolean {
  return (
    farm.persistence?.type !== 'HTTP_COOKIE' && farm.algorithm !== 'SOURCE_IP' && farm.algorithm !== 'SOURCE_IP_PORT'
  );
}

/** Whether an answer of the runtime API says that a command was done. */
export function isDone(command: string, answer: string): boolean {
  const text = answer.trim();
  if (command.startsWith('add server')) return text.includes('New server registered');
  // A server with connections goes when they have.
  if (command.startsWith('del server'))
    return text.includes('Server deleted') || text.includes('still has connections');
  return text === '';
}

/**
 * Commands that make a process, which has just read the configuration of `deployment`, forget what had been changed at run
 * time and is otherwise in the configuration by now.
 * @param csv the answer to `show stat`
 */
export function corrections(deployment: Deployment, csv: string): string[] {
  const rows = new Map(statRows(csv).map(row => [`${row.pxname}/${row.svname}`, row]));
  return deployment.fronts.flatMap(front =>
    farmsOf(front).flatMap(farm =>
      farm.members.flatMap(member => {
        const name = `${backendName(farm, front)}/${member.id}`;
        const row = rows.get(name);
        if (row === undefined) return [];
        const commands: string[] = [];
        if (row.status!.startsWith('MAINT') === member.enabled) {
          commands.push(`set server ${name} state ${member.enabled ? 'ready' : 'maint'}`);
        }
        if (row.uweight !== String(member.weight)) commands.push(`set server ${name} weight ${member.weight}`);
        return commands;
      }),
    ),
  );
}
