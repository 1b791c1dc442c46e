import { setTimeout as pause } from 'node:timers/promises';
import { Config } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target } from '../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { type AdsResponse, type AdsStream, createAdsClient } from '../support/nodes/ads-client.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import { nodeOf } from '../support/worlds/served-world.ts';
import type { Observation } from './checker.ts';
import type { Objects } from './history.ts';

/** A node that stays, as the binaries of spring 2025, and reports what it holds after each response. */
export interface RecordingNode extends AsyncDisposable {
  readonly held: Readonly<Record<Observation['type'], Objects>>;
  /** Streams on which both types were answered. */
  readonly streams: () => number;
  /** Removals of resources, which it held, that responses named. */
  readonly removals: () => number;
}

/** Milliseconds before it connects again. */
const retryDelay = 100;

export function startRecordingNode(
  address: string,
  gateway: string,
  observed: (type: Observation['type'], held: Objects) => void,
): RecordingNode {
  const held = { targets: new Map<string, string>(), configs: new Map<string, string>() };
  let [streams, removals, stopped] = [0, 0, false];
  let close = (): void => {};
  const apply = ({ typeUrl, names, messages, removed }: AdsResponse): void => {
    const type = typeUrl === targetType ? 'targets' : 'configs';
    for (const [at, name] of names.entries()) held[type].set(name, versionOf(type, messages[at] ?? Buffer.alloc(0)));
    for (const name of removed) if (held[type].delete(name)) removals += 1;
    observed(type, new Map(held[type]));
  };
  const follow = async (stream: AdsStream): Promise<void> => {
    for (const [typeUrl, resources] of [
      [targetType, held.targets],
      [configType, held.configs],
    ] as const) {
      const initial = Object.fromEntries([...resources.keys()].map((name) => [name, '']));
      stream.request(typeUrl, { node: nodeOf(gateway), initial });
    }
    const answered = new Set<string>();
    for (;;) {
      const response = await stream.accept();
      apply(response);
      answered.add(response.typeUrl);
      if (answered.size === 2 && answered.add('counted')) streams += 1;
    }
  };
  const running = (async () => {
    while (!stopped) {
      const client = createAdsClient(address);
      close = client.close;
      await follow(client.open()).catch(() => undefined);
      client.close();
      await pause(retryDelay);
    }
  })();
  return {
    held,
    streams: () => streams,
    removals: () => removals,
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      close();
      await running;
    },
  };
}

/** The version that the content names: the path of a target, the value of a rule. */
function versionOf(type: Observation['type'], bytes: Buffer): string {
  if (type === 'targets') return Target.decode(bytes).path.slice(1);
  return Config.decode(bytes)
    .rules.map(({ value }) => value)
    .join('+');
}
