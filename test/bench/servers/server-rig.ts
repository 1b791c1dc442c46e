import { type Rig, startRig } from '../nodes/rig.ts';
import { type ChangeKind, firstTypeOf, typeOf } from './bench-world.ts';

/** The servers that are compared: two baselines, of which the first is the floor, and gatehouse. */
export const serverNames = ['node:http2', 'grpc-js', 'gatehouse'] as const;

export type ServerName = (typeof serverNames)[number];

interface ServerRigOptions {
  readonly nodes: number;
  readonly targets: number;
  /** What each push changes; default: a target. */
  readonly change?: ChangeKind;
}

/** Starts one of the servers with this many targets, and a fleet of this many nodes. */
export function startServerRig(
  name: ServerName,
  { nodes, targets, change = 'target' }: ServerRigOptions,
): Promise<Rig> {
  const file = new URL('./server-process.ts', import.meta.url);
  const types = { typeUrl: typeOf(change), firstType: firstTypeAt(name, change) };
  return startRig({ nodes, ...types }, file, name, String(targets), change);
}

/** Returns the number of responses to a node that connects. */
export function firstResponses(name: ServerName, change: ChangeKind): number {
  return firstTypeAt(name, change) === undefined ? 1 : 2;
}

/** The baselines have one type. */
function firstTypeAt(name: ServerName, change: ChangeKind): string | undefined {
  return name === 'gatehouse' ? firstTypeOf(change) : undefined;
}
