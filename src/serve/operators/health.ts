import type { Server } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/grpc/health/v1/health.ts';
import { quoted } from '../request/bounded-text.ts';
import { type SideCall, type SideCallParts, SideCalls } from './unary-calls.ts';

type Watch = SideCall<HealthCheckResponse>;

/** The services that are asked for by name; the empty name is the whole server. */
const services: ReadonlySet<string> = new Set(['', 'envoy.service.discovery.v3.AggregatedDiscoveryService']);

/**
 * The health service of gRPC (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): SERVING once everything
 * was read, as `/readyz`. One instance may be registered at several servers.
 */
export class Health {
  readonly #ready: () => boolean;
  readonly #parts: SideCallParts;
  readonly #watches = new Set<Watch>();
  /** What everybody who watches was told last. */
  #told: ServingStatus = ServingStatus.NOT_SERVING;
  #stopped = false;

  /** @param parts what the calls at each server may take */
  constructor(ready: () => boolean, parts: SideCallParts) {
    this.#ready = ready;
    this.#parts = parts;
  }

  register(server: Server): void {
    const calls = new SideCalls(this.#parts);
    calls.register(server, HealthService.check, ({ service }, call) => {
      if (services.has(service)) {
        call.write({ status: this.#status() });
        call.end();
      } else call.refuse({ code: 'NOT_FOUND', message: `no service ${quoted(service)} here` });
    });
    calls.register(server, HealthService.watch, (request, call) => this.#watch(request, call));
  }

  /** Tells whoever watches when the answer is another now. */
  changed(): void {
    const now = this.#status();
    if (now === this.#told) return;
    this.#told = now;
    for (const call of this.#watches) call.write({ status: now });
  }

  /** Not serving from now on; whoever watches is told, and its stream ends. */
  stop(): void {
    this.#stopped = true;
    this.changed();
    for (const call of this.#watches) call.end();
  }

  /** A service that nobody knows may appear one day, so the stream stays open. */
  #watch({ service }: HealthCheckRequest, call: Watch): void {
    if (!services.has(service)) {
      call.write({ status: ServingStatus.SERVICE_UNKNOWN });
      return;
    }
    // Whoever comes now and whoever was there already have heard the same.
    this.changed();
    this.#watches.add(call);
    call.onEnd(() => this.#watches.delete(call));
    call.write({ status: this.#told });
    if (this.#stopped) call.end();
  }

  #status(): ServingStatus {
    return this.#ready() && !this.#stopped ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
