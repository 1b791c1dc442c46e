/** The snapshot of a Gateway, and the nodes that ACKed it. */
interface AckedSnapshot {
  readonly version: string;
  /** Ids of the nodes that ACKed every type at this version. */
  readonly nodes: readonly string[];
}

/** A client of the control plane's debug endpoint. */
export interface ControlPlane {
  /** Waits until a node has ACKed a version other than `previous`. Rejects after 20 seconds. */
  acknowledged(previous: string | undefined): Promise<AckedSnapshot>;
}

interface SnapshotsAnswer {
  readonly gateways: readonly {
    readonly version: string;
    readonly nodes: readonly { readonly id: string; readonly synced: boolean }[];
  }[];
}

/** Milliseconds between two polls, and until waiting fails. */
const pollInterval = 25;
const timeout = 20_000;

/** @param gateway `<namespace>/<name>` */
export function controlPlane(debugAddress: string, gateway: string): ControlPlane {
  const url = `http://${debugAddress}/snapshots/xds?gateway=${encodeURIComponent(gateway)}`;
  const poll = async (): Promise<AckedSnapshot | undefined> => {
    const answer: SnapshotsAnswer = JSON.parse(await (await fetch(url)).text());
    const [found] = answer.gateways;
    if (found === undefined) return undefined;
    return { version: found.version, nodes: found.nodes.filter(({ synced }) => synced).map(({ id }) => id) };
  };
  return {
    acknowledged: async (previous) => {
      const deadline = performance.now() + timeout;
      for (;;) {
        const acked = await poll();
        if (acked !== undefined && acked.version !== previous && acked.nodes.length > 0) return acked;
        if (performance.now() > deadline) throw new Error(`no gateway acknowledged a new snapshot; see ${url}`);
        await new Promise((resolve) => setTimeout(resolve, pollInterval));
      }
    },
  };
}
