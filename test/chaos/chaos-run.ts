import { setTimeout as pause } from 'node:timers/promises';
import { startClusterWorld } from '../support/cluster/world.ts';
import { startTcpProxy } from '../support/processes/tcp-proxy.ts';
import { mcpClass } from '../support/worlds/manifests.ts';
import { Checker, type Observation } from './checker.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type Faulty, nextFault } from './faults.ts';
import { allowedNamespaces, configsOf, lastIndexes, targetsOf, textOf } from './history.ts';
import { createRandom, type SeededRandom } from './random.ts';
import { type RecordingNode, startRecordingNode } from './recording-node.ts';
import { prepare, startWriter, type Writer } from './writer.ts';

/** A cluster under churn, its control plane, and a node that checks what it is told. */
export interface ChaosRun extends AsyncDisposable {
  readonly controlPlane: ControlPlane;
  readonly node: RecordingNode;
  /** Plays faults for a time in milliseconds, one after another, with a rest after every fifth. */
  playFaults(duration: number): Promise<void>;
  /** Restarts the control plane; resolves when the node was told both types anew. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Stops the changes, checks that the node comes to hold the last world, and begins again. */
  rest(): Promise<void>;
  report(): ChaosReport;
}

interface ChaosReport {
  readonly changes: number;
  readonly observations: number;
  readonly removals: number;
  readonly streams: number;
  readonly faults: number;
  readonly rests: number;
  /** The longest time until a node held the last world, in milliseconds. */
  readonly longestRest: number;
  /** What was promised and not kept. */
  readonly violations: readonly string[];
}

/** Milliseconds within which a node holds the last world: a half-open connection alone takes a minute to be noticed. */
const maxRest = 180_000;

/** @param flags of the control plane */
export async function startChaosRun(
  seed: number,
  progress: (line: string) => void,
  flags: readonly string[] = [],
): Promise<ChaosRun> {
  const world = await startClusterWorld();
  await world.apply(mcpClass);
  const { api } = world;
  await prepare((path, request) => api.request(path, request));
  const way = await startTcpProxy(Number(new URL(api.url).port));
  const controlPlane = await startControlPlane(world, way.port, flags);
  const writer = startWriter(
    (path, request) => api.request(path, request),
    (kind) => createRandom([...kind].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, seed)),
  );
  const watch = watchNode(controlPlane, writer, progress);
  const player = createPlayer({ api, way, controlPlane }, createRandom(seed), watch, progress);
  return {
    controlPlane,
    node: watch.node,
    ...player,
    report: () => ({
      changes: writer.changes(),
      removals: watch.node.removals(),
      streams: watch.node.streams(),
      ...player.counts(),
      ...watch.counts(),
    }),
    [Symbol.asyncDispose]: async () => {
      await writer.pause();
      await watch.node[Symbol.asyncDispose]();
      await controlPlane[Symbol.asyncDispose]();
      await way[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

interface Watch {
  readonly node: RecordingNode;
  rest(): Promise<void>;
  counts(): Pick<ChaosReport, 'observations' | 'rests' | 'longestRest' | 'violations'>;
}

/** Checks each observation once the changes of its time are known to be carried out or not. */
function watchNode(controlPlane: ControlPlane, writer: Writer, progress: (line: string) => void): Watch {
  const { histories } = writer;
  const checker = new Checker(histories);
  const waiting: Observation[] = [];
  const violations: string[] = [];
  let [observations, rests, longestRest] = [0, 0, 0];
  const broken = (sentence: string): void => {
    violations.push(sentence);
    progress(`VIOLATION: ${sentence}\n${controlPlane.lastWords()}`);
  };
  const node = startRecordingNode(controlPlane.address, 'default/gw', (type, held) => {
    waiting.push({ type, held, upTo: lastIndexes(histories) });
  });
  const holdsLast = (): boolean => {
    const { services, namespaces, gateway, policies } = histories;
    const targets = targetsOf(services.latest, allowedNamespaces(namespaces.latest, gateway.latest));
    const configs = configsOf(policies.latest, gateway.latest !== 'absent');
    return textOf(node.held.targets) === textOf(targets) && textOf(node.held.configs) === textOf(configs);
  };
  return {
    node,
    rest: async () => {
      await writer.pause();
      const began = performance.now();
      while (!holdsLast() && performance.now() - began < maxRest) await pause(20);
      if (!holdsLast()) broken(`the node never came to hold the last world: ${textOf(node.held.targets)}`);
      longestRest = Math.max(longestRest, performance.now() - began);
      rests += 1;
      for (const observation of waiting.splice(0)) {
        observations += 1;
        const sentence = checker.check(observation);
        if (sentence !== undefined) broken(sentence);
      }
      writer.resume();
    },
    counts: () => ({ observations, rests, longestRest: Math.round(longestRest), violations }),
  };
}

interface Player extends Pick<ChaosRun, 'playFaults' | 'restart' | 'rest'> {
  counts(): Pick<ChaosReport, 'faults'>;
}

function createPlayer(on: Faulty, random: SeededRandom, watch: Watch, progress: (line: string) => void): Player {
  let faults = 0;
  return {
    counts: () => ({ faults }),
    rest: watch.rest,
    playFaults: async (duration) => {
      const end = performance.now() + duration;
      while (performance.now() < end) {
        const fault = nextFault(random);
        progress(fault.name);
        await fault.run(on);
        faults += 1;
        await pause(random.between(0, 4_000));
        if (faults % 5 === 0) await watch.rest();
      }
      await watch.rest();
    },
    restart: async (signal) => {
      const streams = watch.node.streams();
      await on.controlPlane.restart(signal);
      while (watch.node.streams() === streams) await pause(10);
    },
  };
}
