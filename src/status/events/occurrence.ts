import type { KindName } from '../../resources/model.ts';

/** Something that happened to an object and is worth an Event. */
export interface Occurrence {
  readonly kind: KindName;
  /** `<namespace>/<name>`. */
  readonly key: string;
  readonly type: 'Normal' | 'Warning';
  /** In CamelCase: what people filter by. */
  readonly reason: string;
  /** What was being done, in CamelCase. */
  readonly action: string;
  /** For people. What is longer than the API takes is cut off. */
  readonly note: string;
  /** The same for what is the same once more; by default the note. */
  readonly sameAs?: string;
  /** Who tells of it. `leader`: one replica is enough, since all see it. */
  readonly toldBy: 'leader' | 'every replica';
}
