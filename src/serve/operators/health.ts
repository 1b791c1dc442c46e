import type { Server } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/grpc/health/v1/health.ts';
import { quoted } from '../../json/quoted.ts';
import { type UnaryRequestCall, UnaryRequestCalls, type UnaryRequestCallsParts } from './unary-calls.ts';

type Watch = UnaryRequestCall<HealthCheckResponse>;

/** The service names that have a status; the empty name is the whole server. */
const services: ReadonlySet<string> = new Set(['', 'envoy.service.discovery.v3.AggregatedDiscoveryService']);

/**
 * The gRPC health service (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): SERVING while `/readyz`
 * succeeds, until `stop`. One instance may be registered at several servers.
 */
export class Health {
  readonly #ready: () => boolean;
  readonly #parts: UnaryRequestCallsParts;
  readonly #watches = new Set<Watch>();
  /** The status that all watches were sent last. */
  #sent: ServingStatus = ServingStatus.NOT_SERVING;
  #stopped = false;

  /** @param parts the limits of the calls at each server */
  constructor(ready: () => boolean, parts: UnaryRequestCallsParts) {
    this.#ready = ready;
    this.#parts = parts;
  }

  register(server: Server): void {
    const calls = new UnaryRequestCalls(this.#parts);
    calls.register(server, HealthService.check, ({ service }, call) => {
      if (services.has(service)) {
        call.write({ status: this.#status() });
        call.end();
      } else call.fail({ code: 'NOT_FOUND', message: `no service ${quoted(service)} here` });
    });
    calls.register(server, HealthService.watch, (request, call) => this.#watch(request, call));
  }

  /** Sends the status to all watches if it changed. To be called whenever readiness may have changed. */
  changed(): void {
    const status = this.#status();
    if (status === this.#sent) return;
    this.#sent = status;
    for (const call of this.#watches) call.write({ status });
  }

  /** Changes the status to NOT_SERVING for good and ends all watches. */
  stop(): void {
    this.#stopped = true;
    this.changed();
    for (const call of this.#watches) call.end();
  }

  /** A watch of an unknown service stays open, as the health checking protocol requires. */
  #watch({ service }: HealthCheckRequest, call: Watch): void {
    if (!services.has(service)) {
      call.write({ status: ServingStatus.SERVICE_UNKNOWN });
      return;
    }
    // Sends a pending change to the other watches first: all watches have the same last status.
    this.changed();
    this.#watches.add(call);
    call.onEnd(() => this.#watches.delete(call));
    call.write({ status: this.#sent });
    if (this.#stopped) call.end();
  }

  #status(): ServingStatus {
    return this.#ready() && !this.#stopped ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
