import type { RequestListener } from 'node:http';
import { openRawClient, type RawClient } from '../nodes/raw-client.ts';
import { type GatewayRig, type RigOptions, startGateway } from './gateway-rig.ts';
import { type RawTarget, type Script, startRawTarget } from './raw-target.ts';

/** A gateway with one target. */
export interface TargetRig extends AsyncDisposable {
  readonly target: RawTarget;
  readonly gateway: GatewayRig;
  /** Opens a session over Streamable HTTP with a new token of this identity. */
  open(identity?: string, capabilities?: Readonly<Record<string, unknown>>): Promise<RawClient>;
}

export interface TargetRigOptions extends RigOptions {
  /** The name of the target; `a` by default. */
  readonly name?: string;
  /** The session id that the target gives out; none by default. */
  readonly sessionId?: string | (() => string);
  /** Whether the target speaks MCP 2026-07-28 only. */
  readonly stateless?: boolean;
  /** Whether it speaks that revision and earlier ones. */
  readonly bothEras?: boolean;
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** Handles GET requests to the target; see {@link startRawTarget}. */
  readonly get?: RequestListener;
}

/** Starts a gateway whose only target follows the script. No rule allows anything. */
export async function startTargetRig(
  script: Script,
  { name = 'a', sessionId, stateless, bothEras, capabilities, get, ...options }: TargetRigOptions = {},
): Promise<TargetRig> {
  const target = await startRawTarget(script, {
    sessionId,
    ...(get && { get }),
    ...(stateless && { stateless }),
    ...(bothEras && { bothEras }),
    ...(capabilities && { capabilities }),
  });
  const gateway = await startGateway(options);
  gateway.config.putTarget(target.target(name));
  return {
    target,
    gateway,
    open: (identity = 'me', capabilities = {}) =>
      openRawClient(gateway, gateway.token(identity), '2025-11-25', capabilities),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}
