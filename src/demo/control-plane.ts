/** What the debug endpoint says of the one Gateway, as far as the story needs it. */
interface Held {
  /** The Gateway's snapshot version. */
  readonly version: string;
  /** Ids of the nodes that acknowledged all of that version. */
  readonly heldBy: readonly string[];
}

/** Reads the debug endpoint, which shows what the control plane really sent and what was really acknowledged. */
export interface ControlPlane {
  /** Waits until a node has acknowledged a version other than `than`; fails when that takes too long. */
  acknowledged(than: string | undefined): Promise<Held>;
}

interface SnapshotsAnswer {
  readonly gateways: readonly {
    readonly version: string;
    readonly nodes: readonly { readonly id: string; readonly synced: boolean }[];
  }[];
}

/** Milliseconds between two looks, and until the story gives up. */
const interval = 25;
const patience = 20_000;

export function controlPlane(debugAddress: string, gateway: string): ControlPlane {
  const url = `http://${debugAddress}/snapshots/xds?gateway=${encodeURIComponent(gateway)}`;
  const look = async (): Promise<Held | undefined> => {
    const answer: SnapshotsAnswer = JSON.parse(await (await fetch(url)).text());
    const [found] = answer.gateways;
    if (found === undefined) return undefined;
    return { version: found.version, heldBy: found.nodes.filter(({ synced }) => synced).map(({ id }) => id) };
  };
  return {
    acknowledged: async (than) => {
      const deadline = performance.now() + patience;
      for (;;) {
        const held = await look();
        if (held !== undefined && held.version !== than && held.heldBy.length > 0) return held;
        if (performance.now() > deadline) throw new Error(`no gateway acknowledged a new snapshot; see ${url}`);
        await new Promise((resolve) => setTimeout(resolve, interval));
      }
    },
  };
}
