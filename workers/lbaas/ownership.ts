/** Who runs what: one controller alone, or several that share (etcd-ownership.ts). */
import type { Health } from '../../engine/lbaas/health.ts';

/** Which trees are ours to run. */
export interface Ownership {
  owns(root: string): boolean;
  /** `heard` is called with trees that became ours, or ceased to be. */
  watch(heard: (root: string) => void): void;
  /** What another controller knows of a tree that is its. */
  healthOf(root: string): Health | null;
  /** Tells the others. */
  publish(root: string, health: Health): void;
  /** Who runs the tree; null = nobody yet. */
  hostOf(root: string): string | null;
  /** Controllers that live. */
  hosts(): readonly string[];
}

/** Of a controller that shares nothing. */
export const alone = (host: string): Ownership => ({
  ...{ owns: () => true, watch: () => {}, healthOf: () => null, publish: () => {} },
  ...{ hostOf: () => host, hosts: () => [host] },
});
