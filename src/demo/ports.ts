import { createServer } from 'node:net';
import { formatHostPort, type HostPort } from '../net/host-port.ts';
import { ListenError, listen } from '../net/listener/http-listener.ts';

/** The addresses that the three programs listen on. Port 0: a free one, which the program's log names. */
export interface DemoAddresses {
  /** MCP clients of the gateway. */
  readonly gateway: HostPort;
  readonly xds: HostPort;
  readonly debug: HostPort;
  readonly admin: HostPort;
  readonly metrics: HostPort;
  readonly gatewayAdmin: HostPort;
}

/** The ports and the address that the demo listens on. */
export interface PortChoice {
  /** The first of six ports, for the listeners in the order of `DemoAddresses`; 0: free ones. Default: the usual ports. */
  readonly base: number | undefined;
  /** The port of the gateway's listener, instead of the one of the base or of the guide. */
  readonly gateway: number | undefined;
  /** The address that the gateway listens on for MCP clients. Everything else listens on loopback. */
  readonly host: string;
}

const loopback = '127.0.0.1';

/** @param guidePort the port of the gateway's listener in the guide */
export function demoAddresses({ base, gateway, host }: PortChoice, guidePort: number): DemoAddresses {
  const port = (offset: number, usual: number): number => {
    if (base === undefined) return usual;
    return base === 0 ? 0 : base + offset;
  };
  const local = (offset: number, usual: number): HostPort => ({ host: loopback, port: port(offset, usual) });
  return {
    gateway: { host, port: gateway ?? port(0, guidePort) },
    xds: local(1, 9977),
    debug: local(2, 9097),
    admin: local(3, 9098),
    metrics: local(4, 9092),
    gatewayAdmin: local(5, 19_000),
  };
}

const purposes: Readonly<Record<keyof DemoAddresses, string>> = {
  gateway: "the gateway's listener",
  xds: 'where gateways connect',
  debug: 'the debug endpoint',
  admin: 'gRPC for operators',
  metrics: 'health and metrics',
  gatewayAdmin: "the gateway's admin pages",
};

/**
 * Returns why the addresses cannot be used, with the flag that helps; undefined if all are free. Binds each for a moment.
 */
export async function addressProblem(addresses: DemoAddresses): Promise<string | undefined> {
  const all = Object.entries(purposes).map(async ([name, purpose]) => {
    const at = addresses[name as keyof DemoAddresses];
    return { what: `${formatHostPort(at)} (${purpose})`, error: await bindingError(at, purpose) };
  });
  const failed = (await Promise.all(all)).filter(({ error }) => error !== undefined);
  // No other port helps where the address is of another machine, or the user may not bind a low port.
  const other = failed.find(({ error }) => error?.code !== 'EADDRINUSE')?.error;
  if (other !== undefined) return `${other.message}.`;
  if (failed.length === 0) return undefined;
  const subject = failed.length === 1 ? 'is' : 'are';
  const found = failed.map(({ what }) => what).join(', ');
  return `${found} ${subject} in use: use --ports 0 for free ports, or --ports <first of six>.`;
}

async function bindingError(at: HostPort, purpose: string): Promise<ListenError | undefined> {
  const probe = createServer();
  try {
    await listen(probe, at, purpose);
  } catch (error) {
    if (error instanceof ListenError) return error;
    throw error;
  }
  await new Promise((resolve) => probe.close(resolve));
  return undefined;
}
