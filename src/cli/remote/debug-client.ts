import { EnvironmentError } from '../../app/errors.ts';
import { parseBoundedJson } from '../../json/bounded-json.ts';
import { textIn } from '../../json/json.ts';
import { quoted, shortened } from '../../json/quoted.ts';
import { codeOf } from '../../net/errors.ts';
import { formatHostPort, parseHostPort } from '../../net/host-port.ts';
import { UsageError } from '../flags.ts';
import { DocumentError, Fields } from './fields.ts';

/** Milliseconds in which an answer must be complete. */
const timeout = 10_000;

/** Bytes of an answer that are read: ten thousand nodes with their last NACKs. */
const mostBytes = 64 * 1024 * 1024;

/** Structure of an answer: parsing thirty million open brackets takes ten seconds. */
const bounds = { maxValues: 5_000_000, maxDepth: 100 };

/** The version of the documents that are understood; fields may be added to it. */
const documentVersion = 1;

/** Decodes `--server`: `<host>:<port>`, `:<port>` on this machine, or an http URL of these. */
export function serverAddress(text: string): string {
  const address = text.replace(/^http:\/\//, '').replace(/\/$/, '');
  const parsed = parseHostPort(address.startsWith(':') ? `127.0.0.1${address}` : address);
  if (parsed !== undefined && parsed.port > 0) return formatHostPort(parsed);
  throw new UsageError(
    `--server is the debug listener of a control plane, <host>:<port>, for example 127.0.0.1:9097, not ${quoted(text)}`,
  );
}

/** A question to the debug listener. */
export interface DebugRequest {
  /** Path and query. */
  readonly path: string;
  /** Sent as JSON by POST; absent: a GET. */
  readonly body?: unknown;
}

/**
 * Asks the debug listener of a control plane.
 *
 * @throws EnvironmentError when none answers, or something else does; UsageError when it refuses the question
 */
export async function askDebug<T>(server: string, request: DebugRequest, decode: (fields: Fields) => T): Promise<T> {
  const url = `http://${server}${request.path}`;
  const { status, text } = await send(url, request.body);
  const parsed = parseBoundedJson(text, bounds);
  const document = parsed.kind === 'json' ? parsed.value : undefined;
  if (status !== 200) throw refused(server, request.path, status, textIn(document, 'error'), text);
  try {
    const fields = new Fields(document);
    const version = fields.number('version');
    if (version !== documentVersion) {
      throw new EnvironmentError(
        `${server} answers with version ${version} of the document, and this program knows ${documentVersion}: use the gatehouse of that server.`,
      );
    }
    return decode(fields);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    throw new EnvironmentError(
      `what answers at ${url} is not the debug listener of a control plane (${error.message}). Its address is that of --debug-listen.`,
    );
  }
}

async function send(url: string, body: unknown): Promise<{ readonly status: number; readonly text: string }> {
  const signal = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, {
      signal,
      redirect: 'manual',
      ...(body !== undefined && {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    return { status: response.status, text: await boundedText(response) };
  } catch (error) {
    throw unreachable(url, error);
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`the answer has more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(url: string, error: unknown): EnvironmentError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason =
    codeOf(cause) === 'ECONNREFUSED'
      ? 'nothing listens there'
      : error instanceof Error && error.name === 'TimeoutError'
        ? `it does not answer within ${timeout / 1000} seconds`
        : shortened(cause instanceof Error ? cause.message : String(cause));
  return new EnvironmentError(
    `no control plane answers at ${url}: ${reason}. Start gatehouse serve, or name its debug listener with --server.`,
    { cause: error },
  );
}

function refused(
  server: string,
  path: string,
  status: number,
  message: string | undefined,
  text: string,
): EnvironmentError | UsageError {
  if (message !== undefined && (status === 400 || status === 413)) return new UsageError(message);
  const [endpoint = path] = path.split('?');
  // Listeners of older versions list their paths.
  if (status === 404 && (message !== undefined || text.includes('/snapshots/xds'))) {
    return new EnvironmentError(
      `the control plane at ${server} has no ${endpoint}: it is another port than that of --debug-listen (9097), or of an older gatehouse than this one.`,
    );
  }
  const said = message === undefined ? '' : `: ${shortened(message)}`;
  return new EnvironmentError(
    `what answers at http://${server}${endpoint} refuses with HTTP ${status}${said}. The address is that of --debug-listen.`,
  );
}
