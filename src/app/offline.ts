import { access } from 'node:fs/promises';
import type { Clock, Counters, Logger } from '../edges.ts';
import type { Explainer, Finding, Place } from '../explain/model.ts';
import { pathText } from '../resources/resources.ts';
import { type FilesOnce, readFilesOnce } from '../source/source.ts';
import type { TranslationSettings } from '../translate/model.ts';
import { EnvironmentError } from './errors.ts';
import { createPipeline } from './pipeline.ts';

/** What a command that answers and ends reads. */
export interface OfflineSettings extends TranslationSettings {
  /** Files and folders, or `-` for standard input. */
  readonly filenames: readonly string[];
  /** Namespaces to read; all when empty. */
  readonly namespaces: readonly string[];
}

export interface OfflineParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Reads standard input. */
  readonly readStdin: () => Promise<string>;
}

/** Something to correct, for people and programs. */
export interface CheckDiagnostic {
  readonly severity: 'error' | 'warning';
  /** `<file>:<line>:<column>`, or a path without a position. */
  readonly place: string;
  /** `<Kind> <namespace>/<name>`, when it belongs to an object. */
  readonly object: string | undefined;
  /** The field's path as `spec.rules[0].matches`; empty for the whole object or file. */
  readonly field: string;
  readonly message: string;
}

/** The objects of some files, translated as `serve` does. */
export interface OfflineWorld {
  readonly explainer: Explainer;
  readonly counts: { readonly gateways: number; readonly targets: number; readonly policies: number };
  /** Every error and warning, by place: at most 1,000 of them, errors first, and the number of all. */
  check(): Promise<CheckReport>;
  /** The number of errors that decoding found: what they are about is left out. */
  readonly inputErrors: number;
  /** The place of each field; undefined for one that is in no file. */
  placesOf(places: readonly Place[]): Promise<readonly (string | undefined)[]>;
  /** The texts that no file has, by the path in their places. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface CheckReport {
  readonly diagnostics: readonly CheckDiagnostic[];
  readonly errors: number;
  readonly warnings: number;
}

/** Findings that are located and listed: a place takes a pass over its file, and nobody reads more. */
const mostListed = 1000;

const noCounters: Counters = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

/**
 * Reads files once and translates them.
 *
 * @throws EnvironmentError when one of them does not exist
 */
export async function openOffline(settings: OfflineSettings, parts: OfflineParts): Promise<OfflineWorld> {
  const { filenames, namespaces } = settings;
  for (const path of filenames) if (path !== '-') await requireReadable(path);
  const files = await readFilesOnce({ ...parts, roots: filenames, namespaces });
  if (!files.batch.synced)
    throw new EnvironmentError('a file changes while it is read, or is gone again: try once more.');
  const pipeline = createPipeline(settings, { log: parts.log, counters: noCounters });
  pipeline.deliver(files.batch);
  const { translation, explainer, policies } = pipeline;
  return {
    explainer,
    counts: { gateways: explainer.gateways().length, targets: translation.targets.size, policies: policies() },
    inputErrors: files.diagnostics.filter(({ severity }) => severity === 'error').length,
    check: () => check(files, explainer),
    placesOf: (places) => files.placesOf(places.map(fieldOf)),
    texts: files.texts,
  };
}

async function requireReadable(path: string): Promise<void> {
  try {
    await access(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw new EnvironmentError(`${path} ${reason}: name files or folders with manifests, or - for standard input.`);
  }
}

async function check(files: FilesOnce, explainer: Explainer): Promise<CheckReport> {
  const reported = new Map<string, Set<string>>();
  for (const { object = '', message } of files.diagnostics) {
    reported.set(object, (reported.get(object) ?? new Set<string>()).add(message));
  }
  const diagnostics: CheckDiagnostic[] = [...files.diagnostics];
  const listed: Finding[] = [];
  const counts = { error: 0, warning: 0 };
  for (const { severity } of diagnostics) counts[severity] += 1;
  for (const finding of findingsOf(explainer)) {
    if (finding === undefined || isReported(finding, reported)) continue;
    counts[finding.severity] += 1;
    if (listed.length < mostListed) listed.push(finding);
  }
  const places = await files.placesOf(listed.map(({ at }) => fieldOf(at)));
  for (const [n, { severity, at, message }] of listed.entries()) {
    const object = `${at.kind} ${at.key}`;
    diagnostics.push({ severity, place: places[n] ?? '', object, field: pathText(at.path), message });
  }
  // Of too many, the errors are listed before any warning.
  const bySeverity = diagnostics.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
  const shown = bySeverity.slice(0, mostListed).toSorted(comparePlaces);
  return { diagnostics: shown, errors: counts.error, warnings: counts.warning };
}

function* findingsOf(explainer: Explainer): Generator<Finding | undefined> {
  yield* explainer.statusFindings();
  yield* explainer.hints();
}

/** Returns whether decoding the object said the same: a sentence of a condition repeats those of its parts. */
function isReported({ from, at, message }: Finding, reported: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  if (from !== 'status') return false;
  const messages = reported.get(`${at.kind} ${at.key}`);
  return messages !== undefined && [...messages].some((said) => message.includes(said));
}

function fieldOf({ kind, key, path }: Place): { readonly object: string; readonly path: Place['path'] } {
  return { object: `${kind} ${key}`, path };
}

function comparePlaces(a: CheckDiagnostic, b: CheckDiagnostic): number {
  return a.place.localeCompare(b.place, 'en', { numeric: true }) || (a.message < b.message ? -1 : 1);
}
