import { type Rig, startRig } from '../nodes/rig.ts';

/** The servers that are compared: two baselines, of which the first is the floor, and gatehouse. */
export const serverNames = ['node:http2', 'grpc-js', 'gatehouse'] as const;

export type ServerName = (typeof serverNames)[number];

/** Starts one of the servers with this many targets, and a fleet of this many nodes. */
export function startServerRig(
  name: ServerName,
  { nodes, targets }: { readonly nodes: number; readonly targets: number },
): Promise<Rig> {
  return startRig({ nodes }, new URL('./server-process.ts', import.meta.url), name, String(targets));
}
