import { access } from 'node:fs/promises';
import type { PlacesOf } from '../../debug/model.ts';
import type { Clock, Counters, Logger } from '../../edges.ts';
import { answerQuestion, skippedNotes } from '../../explain/explain.ts';
import type { Answer, Explainer, Place, Question } from '../../explain/model.ts';
import { codeOrReason, isNotFound } from '../../net/errors.ts';
import type { Snapshots } from '../../snapshot/model.ts';
import type { Batch, InputDiagnostic } from '../../source/model.ts';
import { readFilesOnce } from '../../source/source.ts';
import type { Translation, TranslationSettings } from '../../translate/model.ts';
import { type CheckReport, checkReport } from '../check-report.ts';
import { EnvironmentError } from '../errors.ts';
import { createPipeline, type Pipeline } from '../pipeline.ts';

export type { CheckReport } from '../check-report.ts';

/** What a command that answers and ends reads. */
export interface OfflineSettings extends TranslationSettings {
  /** Files and folders, or `-` for standard input. */
  readonly filenames: readonly string[];
  /** Namespaces to read; all when empty. */
  readonly namespaces: readonly string[];
}

/** Dependencies of commands that read files once. */
export interface OfflineParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Reads standard input. */
  readonly readStdin: () => Promise<string>;
}

/** The objects of some files or of a cluster at one time, translated as `serve` does. */
export interface OfflineWorld {
  readonly explainer: Explainer;
  readonly translation: Translation;
  readonly snapshots: Snapshots;
  readonly counts: { readonly gateways: number; readonly targets: number; readonly policies: number };
  /** A sentence when there is no object at all; also the first of the notes. */
  readonly emptiness: string | undefined;
  check(): Promise<CheckReport>;
  /** Answers a question; or says why it has no answer. */
  answer(question: Question): Promise<Answer | { readonly message: string }>;
  /** What to know about every answer, in sentences: that a part of the input is left out. */
  readonly notes: readonly string[];
  /** The place of each field; undefined for one that is in no file. */
  readonly placesOf: PlacesOf;
  /** The texts that no file has, by the path in their places. */
  readonly texts: ReadonlyMap<string, string>;
}

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
  return translateOnce(settings, files, parts.log);
}

/** What was read once. */
export interface ReadOnce {
  readonly batch: Batch;
  readonly diagnostics: readonly InputDiagnostic[];
  placesOf(
    fields: readonly { readonly object: string; readonly path: Place['path'] }[],
  ): Promise<readonly (string | undefined)[]>;
  readonly texts: ReadonlyMap<string, string>;
}

/** Translates what was read. */
export function translateOnce(settings: TranslationSettings, read: ReadOnce, log: Logger): OfflineWorld {
  const pipeline = createPipeline(settings, { log, counters: noCounters });
  pipeline.deliver(read.batch);
  const { translation, explainer, snapshots, policies } = pipeline;
  const placesOf: PlacesOf = (places) =>
    read.placesOf(places.map(({ kind, key, path }) => ({ object: `${kind} ${key}`, path })));
  const emptiness = read.batch.changes.length === 0 ? nothingRead : undefined;
  return {
    explainer,
    translation,
    snapshots,
    counts: { gateways: explainer.gateways().length, targets: translation.targets.size, policies: policies() },
    emptiness,
    notes: [...(emptiness === undefined ? [] : [emptiness]), ...inputNotes(read.diagnostics, pipeline.resources)],
    check: () => checkReport(read.diagnostics, explainer, placesOf),
    answer: async (question) => {
      const answered = answerQuestion(explainer, question);
      return answered.ok ? answered.answerAt(await placesOf(answered.fields)) : answered;
    },
    placesOf,
    texts: read.texts,
  };
}

/** Said when there is no object at all: most likely another folder was meant. */
const nothingRead = '0 objects were read: of a folder, its *.yaml, *.yml and *.json count.';

/** Says that decoding found errors, and which objects are not read: all of it is left out. */
function inputNotes(diagnostics: readonly InputDiagnostic[], resources: Pipeline['resources']): readonly string[] {
  const number = diagnostics.filter(({ severity }) => severity === 'error').length;
  const errors = number === 1 ? 'an error' : `${number} errors`;
  return [
    ...(number === 0 ? [] : [`The input has ${errors}, and what is invalid is left out: gatehouse check lists them.`]),
    ...skippedNotes(diagnostics, resources.MCPAuthPolicy),
  ];
}

async function requireReadable(path: string): Promise<void> {
  try {
    await access(path);
  } catch (error) {
    const reason = isNotFound(error) ? 'does not exist' : `cannot be read (${codeOrReason(error)})`;
    throw new EnvironmentError(`${path} ${reason}: name files or folders with manifests, or - for standard input.`);
  }
}
