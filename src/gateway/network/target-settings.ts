import { stat } from 'node:fs/promises';
import type { Clock, Logger, Stop } from '../../edges.ts';
import { reasonOf } from '../../net/errors.ts';
import { readCertificates } from '../../net/tls/pem.ts';
import { systemAuthorities } from '../../net/tls/system-authorities.ts';
import { type FileTexts, readTexts, watchFiles } from '../../net/watched-files.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { GatewayError } from '../errors.ts';
import type { GatewayConfig } from '../model.ts';
import { type NamedTargets, warnOfUnknownTargets } from './named-targets.ts';
import { decodeTargetHeaders, type TargetHeaders } from './target-headers.ts';

/** What connections and requests to targets need beside the target itself. */
export interface TargetSettings {
  /** The authorities that certificates of targets are verified by, in PEM; the same list while it is unchanged. */
  authorities(): readonly string[];
  /** The headers that requests to a target get. Secrets. */
  headersOf(target: string): ReadonlyMap<string, string>;
  /** Returns whether requests may carry a header with credentials that a client has sent. */
  passes(name: string): boolean;
}

/** Where the settings are. */
export interface TargetFiles {
  /** Of PEM; `undefined`: the authorities of the system. */
  readonly ca: string | undefined;
  /** Of headers by target. */
  readonly headersFile: string | undefined;
  readonly passHeaders: readonly string[];
}

/** The settings, once they are read. */
export interface OpenedSettings extends TargetSettings {
  /**
   * Reads the files, and again when they change. What is wrong in a file that changes is logged, and what it had before
   * stays in use.
   *
   * @throws GatewayError that names the file, never a value
   */
  open(files: TargetFiles): Promise<Stop>;
  /**
   * Warns of headers for targets that do not exist, since a name may be misspelt, whenever targets have changed.
   *
   * @param others settings of other places, of which it warns as well
   */
  compareWith(config: Pick<GatewayConfig, 'targets' | 'subscribe'>, others?: readonly NamedTargets[]): Stop;
}

interface Read {
  readonly authorities: readonly string[] | undefined;
  readonly headers: TargetHeaders;
}

/** Creates settings without files: the authorities of the system, and no headers. */
export function createTargetSettings(clock: Clock, log: Logger): OpenedSettings {
  let read: Read = { authorities: undefined, headers: new Map() };
  let passed: ReadonlySet<string> = new Set();
  let system: readonly string[] | undefined;
  const throttle = new LogThrottle(clock, log);
  const stale = (error: unknown): void => {
    throttle.failed('files', {
      reason: reasonOf(error),
      message: 'a file of the configuration of targets cannot be used; what it had before stays in use',
    });
  };
  const named: NamedTargets = { what: 'upstream.headers_file has headers', names: () => read.headers.keys() };

  return {
    authorities() {
      if (read.authorities !== undefined) return read.authorities;
      // Read on the first connection with TLS: most gateways have none.
      system ??= systemAuthorities();
      return system;
    },
    headersOf: (target) => read.headers.get(target) ?? noHeaders,
    passes: (name) => passed.has(name),
    compareWith: (config, others = []) => warnOfUnknownTargets(config, throttle, [named, ...others]),
    async open(files) {
      passed = new Set(files.passHeaders);
      const paths = [files.ca, files.headersFile].filter((path) => path !== undefined);
      if (paths.length === 0) return () => {};
      const texts = await readTexts(paths).catch((error: unknown) => {
        throw new GatewayError('environment', `upstream: ${reasonOf(error)}`, { cause: error });
      });
      try {
        read = decode(files, texts);
      } catch (error) {
        throw new GatewayError('usage', `upstream: ${reasonOf(error)}`, { cause: error });
      }
      await warnIfOpen(files.headersFile, log);
      return watchFiles(paths, texts, clock, {
        changed(changed) {
          try {
            read = decode(files, changed);
            throttle.recovered('files', 'the files of the configuration of targets can be used again');
            log.info('read the files of the configuration of targets again', { paths });
          } catch (error) {
            stale(error);
          }
        },
        failed: stale,
      });
    },
  };
}

const noHeaders: ReadonlyMap<string, string> = new Map();

function decode({ ca, headersFile }: TargetFiles, texts: FileTexts): Read {
  const authorities =
    ca === undefined ? undefined : readCertificates({ path: ca, text: texts.get(ca) ?? '' }).map(String);
  if (headersFile === undefined) return { authorities, headers: new Map() };
  try {
    return { authorities, headers: decodeTargetHeaders(texts.get(headersFile) ?? '') };
  } catch (error) {
    throw new Error(`${headersFile}: ${reasonOf(error)}`);
  }
}

/** Only a warning: a mounted Secret has such modes unless its volume says otherwise. */
async function warnIfOpen(path: string | undefined, log: Logger): Promise<void> {
  if (path === undefined) return;
  const { mode } = await stat(path);
  if ((mode & 0o007) === 0) return;
  log.warn(
    'upstream.headers_file may be read by every user of this machine: run chmod 0600 on it, or set defaultMode',
    {
      paths: [path],
    },
  );
}
