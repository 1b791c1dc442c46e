import { setTimeout as pause } from 'node:timers/promises';
import type { KubeApiServer } from '../support/cluster/kube-apiserver.ts';
import type { TcpProxy } from '../support/processes/tcp-proxy.ts';
import type { ControlPlane } from './control-plane.ts';
import type { SeededRandom } from './random.ts';

/** What faults act on. */
export interface Faulty {
  readonly api: KubeApiServer;
  readonly way: TcpProxy;
  readonly controlPlane: ControlPlane;
}

/** A fault from its beginning to its end. */
export interface Fault {
  readonly name: string;
  run(on: Faulty): Promise<void>;
}

/** Chooses the next fault, and how long it lasts. One time in five the control plane is restarted meanwhile. */
export function nextFault(random: SeededRandom): Fault {
  const fault = random.pick(faults)(random);
  if (random.next() >= 1 / 5) return fault;
  const restart = restartOf(random);
  const delay = random.between(0, 3_000);
  return {
    name: `${fault.name}, and ${restart.name}`,
    run: async (on) => {
      await Promise.all([fault.run(on), pause(delay).then(() => restart.run(on))]);
    },
  };
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

const killOf = (random: SeededRandom): Fault => {
  const away = random.between(0, 6_000);
  return {
    name: `kill -9 of the API server for ${seconds(away)}`,
    run: async ({ api }) => {
      await api.kill9ApiServer();
      await pause(away);
      await api.restartApiServer();
    },
  };
};

const suspendOf = (random: SeededRandom): Fault => {
  const away = random.between(500, 8_000);
  return {
    name: `SIGSTOP of the API server for ${seconds(away)}`,
    run: async ({ api }) => {
      api.suspendApiServer(true);
      await pause(away);
      api.suspendApiServer(false);
    },
  };
};

const cutOf = (random: SeededRandom): Fault => {
  const away = random.between(0, 10_000);
  return {
    name: `cut connections for ${seconds(away)}`,
    run: async ({ way }) => {
      way.cut();
      await pause(away);
      way.heal();
    },
  };
};

const freezeOf = (): Fault => ({
  name: 'half-open connections',
  run: async ({ way }) => {
    way.freeze();
    await pause(1_000);
  },
});

const slowOf = (random: SeededRandom): Fault => {
  const [delay, time] = [random.between(50, 1_000), random.between(2_000, 6_000)];
  return {
    name: `${delay} ms of delay for ${seconds(time)}`,
    run: async ({ way }) => {
      way.slow(delay);
      await pause(time);
      way.slow(0);
    },
  };
};

/** The API server serves its watch cache until it is started anew; then versions from before are 410 Gone. */
const compactOf = (random: SeededRandom): Fault => {
  const away = random.between(1_000, 5_000);
  return {
    name: `compacted etcd after ${seconds(away)} without a connection`,
    run: async ({ api, way }) => {
      way.cut();
      await pause(away);
      await api.compactEtcd();
      await api.kill9ApiServer();
      await api.restartApiServer();
      way.heal();
    },
  };
};

const expireOf = (random: SeededRandom): Fault => {
  const away = random.between(500, 8_000);
  return {
    name: `an expired token for ${seconds(away)}`,
    run: async ({ controlPlane, way }) => {
      const renew = await controlPlane.expireToken();
      way.cut();
      way.heal();
      await pause(away);
      await renew();
    },
  };
};

const restartOf = (random: SeededRandom): Fault => {
  const signal = random.pick(['SIGTERM', 'SIGKILL'] as const);
  return { name: `${signal} of the control plane`, run: ({ controlPlane }) => controlPlane.restart(signal) };
};

type FaultOf = (random: SeededRandom) => Fault;

/** Half-open connections last a minute, until unanswered PINGs show them; so they are one in fifteen. */
const faults: readonly [FaultOf, ...FaultOf[]] = [
  killOf,
  ...[killOf, killOf, suspendOf, suspendOf, cutOf, cutOf, cutOf, slowOf, slowOf],
  ...[compactOf, compactOf, expireOf, restartOf, freezeOf],
];
