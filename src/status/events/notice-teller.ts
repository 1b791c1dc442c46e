import type { Commit } from '../../graph/model.ts';
import type { Translation } from '../../translate/model.ts';
import type { StatusBook, StatusObject } from '../writer/status-index.ts';
import type { EventRecorder } from './event-recorder.ts';
import { tellCrowdedOut, tellPolicy, tellService } from './notices.ts';
import type { Occurrence } from './occurrence.ts';

/** What the leader tells in Events, because no status has a place for it: once when it begins, and with each change. */
export class NoticeTeller {
  readonly #translation: Translation;
  readonly #book: StatusBook;
  readonly #recorder: Pick<EventRecorder, 'record' | 'remind'>;
  /** By policy: the ancestors that were last told to have no room, so that not every change of the policy tells it. */
  readonly #crowdedOut = new Map<string, string>();

  constructor(translation: Translation, book: StatusBook, recorder: Pick<EventRecorder, 'record' | 'remind'>) {
    this.#translation = translation;
    this.#book = book;
    this.#recorder = recorder;
  }

  /** Tells whatever there is to tell. What this replica told an hour ago at most is no news. */
  all(): void {
    const { serviceNotices, policyNotices } = this.#translation;
    const remind = (occurrence: Occurrence): void => this.#recorder.remind(occurrence);
    this.#crowdedOut.clear();
    for (const [, notice] of serviceNotices.entries()) tellService(notice).forEach(remind);
    for (const [, notice] of policyNotices.entries()) remind(tellPolicy(notice));
    for (const object of this.#book.objects()) this.#tellCrowdedOut(object, remind);
  }

  /** Tells what is new. */
  some(commit: Commit, objects: Iterable<StatusObject>): void {
    const { serviceNotices, policyNotices } = this.#translation;
    const record = (occurrence: Occurrence): void => this.#recorder.record(occurrence);
    for (const { after } of commit.changes(serviceNotices)) {
      if (after !== undefined) tellService(after).forEach(record);
    }
    for (const { after } of commit.changes(policyNotices)) {
      if (after !== undefined) record(tellPolicy(after));
    }
    for (const object of objects) this.#tellCrowdedOut(object, record);
  }

  #tellCrowdedOut({ kind, key }: StatusObject, tell: (occurrence: Occurrence) => void): void {
    if (kind !== 'MCPAuthPolicy') return;
    const ancestors = this.#book.crowdedOut(key);
    if (ancestors.length === 0) {
      this.#crowdedOut.delete(key);
      return;
    }
    const occurrence = tellCrowdedOut(key, ancestors);
    if (this.#crowdedOut.get(key) === occurrence.note) return;
    this.#crowdedOut.set(key, occurrence.note);
    tell(occurrence);
  }
}
