import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Claims } from '../../../src/authz/model.ts';
import type { Clock, Random } from '../../../src/edges.ts';
import { createDownstream, type Downstream } from '../../../src/gateway/downstream/downstream.ts';
import type {
  Authenticator,
  Caller,
  CallerNaming,
  ListMode,
  NameMode,
  TargetFetch,
} from '../../../src/gateway/model.ts';
import { createNetwork } from '../../../src/gateway/network/network.ts';
import { createTargetSettings } from '../../../src/gateway/network/target-settings.ts';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { createRecordedGatewayCounters, type RecordedGatewayCounters } from '../edges/recorded-gateway-counters.ts';
import { createRecordedLog, type RecordedLog } from '../edges/recorded-log.ts';
import { systemClock } from '../edges/system-clock.ts';
import { createFakeConfig, type FakeConfig } from './fake-config.ts';

/** The MCP server of the gateway on a real port, with a configuration that the test changes. */
export interface GatewayRig extends AsyncDisposable {
  readonly config: FakeConfig;
  readonly log: RecordedLog;
  readonly counters: RecordedGatewayCounters;
  readonly downstream: Downstream;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /**
   * Creates a token of this identity.
   *
   * @param expiresAt milliseconds since the epoch; the year 2100 by default
   * @param sub the claim of that name; the identity by default
   * @param claims further ones
   */
  token(identity: string, expiresAt?: number, sub?: string, claims?: Claims): string;
  /** Makes the authenticator respond from now on as without keys: 503. */
  loseKeys(): void;
}

export interface RigOptions {
  readonly list?: ListMode;
  readonly names?: NameMode;
  readonly clock?: Clock;
  readonly allowedOrigins?: readonly string[];
  readonly allowedHosts?: readonly string[];
  readonly authn?: 'tokens' | 'none';
  readonly fetchFor?: (target: Target) => TargetFetch;
  readonly listensOnLoopback?: boolean;
  readonly gateway?: string;
  readonly logCaller?: CallerNaming;
  readonly maxRequestRate?: number;
  readonly passHeaders?: readonly string[];
  readonly maxTargetRequests?: number;
  readonly maxSessions?: number;
  readonly sessionIdleTimeout?: number;
  readonly callTimeoutOf?: (target: string, method: string) => number;
  readonly random?: Random;
}

/** Milliseconds: longer than a test lasts. */
const keepAliveTimeout = 600_000;

export async function startGateway(options: RigOptions = {}): Promise<GatewayRig> {
  const { list = 'all', clock = systemClock, allowedOrigins = [], authn = 'tokens', listensOnLoopback } = options;
  const config = createFakeConfig();
  const log = createRecordedLog();
  const counters = createRecordedGatewayCounters();
  const callers = new Map<string, Caller>();
  const keys = { lost: false };
  // Every address of a target is named, as by --resolve, since targets of tests are on loopback.
  const resolutions = { find: (host: string, port: number) => ({ host, port }) };
  const network = createNetwork({ resolutions, settings: createTargetSettings(clock, log), clock, failed: () => {} });
  const downstream = createDownstream({
    config,
    authenticator: authn === 'tokens' ? authenticatorOf(callers, keys, clock) : undefined,
    fetchFor: options.fetchFor ?? network.targetFetch,
    list,
    names: options.names,
    allowedOrigins,
    allowedHosts: options.allowedHosts ?? [],
    counters,
    clock,
    random: options.random ?? (() => 0.5),
    log,
    callTimeoutOf: (target, method) => {
      const milliseconds = options.callTimeoutOf?.(target, method);
      return milliseconds === undefined ? undefined : { milliseconds, flag: '--method-timeout' };
    },
    gateway: options.gateway,
    logCaller: options.logCaller,
    maxRequestRate: options.maxRequestRate,
    passHeaders: options.passHeaders,
    maxTargetRequests: options.maxTargetRequests,
    maxSessions: options.maxSessions,
    sessionIdleTimeout: options.sessionIdleTimeout,
    ...(listensOnLoopback === undefined ? {} : { listensOnLoopback: () => listensOnLoopback }),
  });
  // By default it would end a connection after five seconds, while a test on a busy machine is about to use it.
  const server = createServer({ keepAliveTimeout }, (request, response) => downstream.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    config,
    log,
    counters,
    downstream,
    url: `http://127.0.0.1:${portOf(server.address())}`,
    loseKeys() {
      keys.lost = true;
    },
    token(identity, expiresAt = Date.UTC(2100, 0, 1), sub = identity, claims = {}) {
      const token = `token-${callers.size}-of-${identity}`;
      callers.set(token, { kind: 'principal', claims: { sub, ...claims }, identity: `test ${identity}`, expiresAt });
      return token;
    },
    async [Symbol.asyncDispose]() {
      await downstream.stop();
      await network.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function authenticatorOf(
  callers: ReadonlyMap<string, Caller>,
  keys: { readonly lost: boolean },
  clock: Clock,
): Authenticator {
  return {
    expired: () => 'Bearer error="invalid_token", resource_metadata="https://mcp.example/metadata"',
    insufficientScope: (scope) => `Bearer error="insufficient_scope", scope="${scope}"`,
    authenticate(authorization) {
      if (keys.lost) return Promise.resolve({ kind: 'refused', status: 503, reason: 'no keys', message: 'no keys' });
      const caller = callers.get(authorization?.replace(/^Bearer /, '') ?? '');
      if (caller?.kind === 'principal' && caller.expiresAt > clock.now()) {
        return Promise.resolve({ kind: 'caller', caller });
      }
      const challenge = 'Bearer error="invalid_token"';
      return Promise.resolve({
        kind: 'refused',
        status: 401,
        reason: 'no token',
        challenge,
        message: 'no valid token',
      });
    },
  };
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
