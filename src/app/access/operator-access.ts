import { createHash } from 'node:crypto';
import type { Clock } from '../../edges.ts';
import { quoted } from '../../json/quoted.ts';
import { reviewAccess, reviewToken } from '../../kube/kube.ts';
import type { KubeConnection } from '../../kube/model.ts';
import { within } from '../../net/deadline.ts';
import { maxToken, parseBearer, readJwtClaims } from '../../net/guard/bearer-token.ts';
import type { GuardedRequest, GuardRefusal, RequestGuard } from '../../net/guard/request-guard.ts';
import { FairSemaphore } from '../../rate/fair-semaphore.ts';

/** Milliseconds for which a decision counts: a dashboard that is refreshed asks once. */
const validity = 10_000;

/** Decisions that are kept. */
const maxDecisions = 1_000;

/** Requests that are decided at once, and those that wait; each takes up to two requests of the API server. */
const maxConcurrent = 8;
const maxWaiting = 64;

/** Milliseconds for a decision, with the wait for its turn: an API server that never answers must not hold all turns. */
const timeout = 15_000;

/** Paths for the kubelet, which has no token to show. They say nothing but whether the process is well. */
const open: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

interface Url {
  readonly verb: string;
  readonly path: string;
}

type Decision = GuardRefusal | undefined;

/**
 * Demands a token of the cluster whose user may use the URL (a nonResourceURL in RBAC), as kube-rbac-proxy does. Whatever
 * cannot be decided is refused.
 */
export class OperatorAccess {
  readonly #connection: Pick<KubeConnection, 'ask'>;
  readonly #clock: Clock;
  readonly #turns = new FairSemaphore(maxConcurrent);
  readonly #decisions = new Map<string, { readonly refusal: Promise<Decision>; readonly since: number }>();
  #waiting = 0;

  constructor(connection: Pick<KubeConnection, 'ask'>, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  readonly guard: RequestGuard = (request) => {
    const { path, authorization, method } = request;
    if (open.has(path)) return Promise.resolve(undefined);
    const token = tokenIn(authorization);
    if (token === undefined) {
      return Promise.resolve({ status: 401, message: 'show a token of the cluster: authorization: Bearer <token>.' });
    }
    if (hasExpired(token, this.#clock.now())) {
      return Promise.resolve({ status: 401, message: 'the token has expired: get a new one.' });
    }
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
    const key = createHash('sha256')
      .update(JSON.stringify([token, verb, path]))
      .digest('base64');
    const known = this.#decisions.get(key);
    const now = this.#clock.now();
    if (known !== undefined && now >= known.since && now - known.since < validity) return known.refusal;
    if (this.#waiting >= maxWaiting) {
      return Promise.resolve({ status: 503, message: 'too many requests wait to be authorized: try again.' });
    }
    const refusal = this.#decide(token, { verb, path }, request);
    this.#remember(key, refusal, now);
    return refusal;
  };

  async #decide(token: string, url: Url, { address }: GuardedRequest): Promise<Decision> {
    this.#waiting += 1;
    try {
      return await within({ clock: this.#clock, milliseconds: timeout }, async (signal) => {
        const release = await this.#turns.acquire(address, 1, signal);
        try {
          return await this.#review(token, url, signal);
        } finally {
          release();
        }
      });
    } catch (error) {
      return unavailable(error instanceof Error ? error.message : 'no answer');
    } finally {
      this.#waiting -= 1;
    }
  }

  async #review(token: string, url: Url, signal: AbortSignal): Promise<Decision> {
    const review = await reviewToken(this.#connection, { token, audience: undefined, signal });
    if (review.kind === 'unavailable') return unavailable(review.message);
    if (review.kind === 'refused') return { status: 401, message: `the token is not accepted: ${review.message}.` };
    const access = await reviewAccess(this.#connection, review.user, url, signal);
    if (access.kind === 'allowed') return undefined;
    if (access.kind === 'unavailable') return unavailable(access.message);
    const who = quoted(review.user.username);
    const message = `${who} may not ${url.verb} ${quoted(url.path)}: a ClusterRole with nonResourceURLs allows it.`;
    return { status: 403, message };
  }

  #remember(key: string, refusal: Promise<Decision>, since: number): void {
    this.#decisions.delete(key);
    this.#decisions.set(key, { refusal, since });
    const [oldest] = this.#decisions.keys();
    if (this.#decisions.size > maxDecisions && oldest !== undefined) this.#decisions.delete(oldest);
  }
}

/** Of two values, nothing says which one is meant: they count as none. */
function tokenIn([header, another]: readonly string[]): string | undefined {
  const bearer = another === undefined ? parseBearer(header) : undefined;
  return bearer?.kind === 'token' && bearer.token.length <= maxToken ? bearer.token : undefined;
}

/** What a token says about its end counts while nobody can be asked, too; one of another form says nothing. */
function hasExpired(token: string, now: number): boolean {
  const exp = readJwtClaims(token)?.['exp'];
  return typeof exp === 'number' && exp * 1_000 <= now;
}

function unavailable(message: string): GuardRefusal {
  return { status: 503, message: `the API server cannot be asked: ${message}.` };
}
