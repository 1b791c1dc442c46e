import { namespaceOf } from '../../api/path.ts';
import type { ListingSize, Room } from './listing-budget.ts';
import { Contender, compareHeld, type ListedObject, NamespaceShare, ShareRanking } from './namespace-share.ts';

/** Says what has room, and carries out what gives way. */
export interface ShareEffects {
  /** Returns whether there is room for so much in all. */
  room(size: ListingSize): Room;
  /** Gives up the content of an object. Returns the bytes that are kept of it nevertheless. */
  crowdOut(object: ListedObject): number;
  /** Gives up an object wholly. */
  leaveOut(object: ListedObject): void;
}

/**
 * Decides which objects have room. While there are too many bytes, the namespace that holds most gives up the content of
 * its largest object, or, when none of its objects has its content, its youngest one wholly; while there are too many
 * objects, the namespace that has most gives up its youngest. So whoever fills the room of a kind harms their own
 * namespace, and one that holds no more than an equal share of the room loses nothing.
 *
 * What is in follows from the objects and the room, and not from the order in which they came: an object that gave way
 * before others of its neighbours were known is in again once they are. Its content is {@link wanted} then, and has to be
 * read anew. A change costs some steps of heaps, and while everything has room, no more than to note the object.
 */
export class FairShares {
  readonly #shares = new Map<string, NamespaceShare>();
  readonly #wanted = new Map<string, Contender>();
  #rankings: Rankings | undefined;
  #objects = 0;
  #bytes = 0;

  /** What is in, with the content that is wanted, and what is kept of the others. */
  get size(): ListingSize {
    return { objects: this.#objects, bytes: this.#bytes };
  }

  /** Whether something had no room once. */
  get isContested(): boolean {
    return this.#rankings !== undefined;
  }

  /** Those that are in and have no content, by their key. */
  get wanted(): ReadonlyMap<string, Contender> {
    return this.#wanted;
  }

  /**
   * Notes an object without a decision, and without effect: as one that has its content, or as one of which so many bytes
   * are kept.
   */
  note(object: ListedObject, rest?: number): Contender {
    const share = this.#shareOf(object);
    const noted = new Contender(object, share, rest);
    share.objects += 1;
    this.#objects += 1;
    share.youngest.add(noted);
    this.#place(noted, rest === undefined ? 'in' : 'out', noted.held);
    if (rest !== undefined) this.#ranked();
    return noted;
  }

  /**
   * Adds an object, and decides. Returns undefined where an older one of its namespace was left out: what that one claims
   * must not be left to this one.
   */
  add(object: ListedObject, effects: ShareEffects): Contender | undefined {
    const share = this.#shareOf(object);
    if (share.isPast(object)) return undefined;
    const added = this.note(object, share.isBeyondNext(object) ? effects.crowdOut(object) : undefined);
    this.fit(effects);
    return added;
  }

  /** Removes an object that is no more, or has changed. */
  remove(contender: Contender): void {
    if (contender.place === 'gone') return;
    const { share, held, object } = contender;
    contender.place = 'gone';
    this.#wanted.delete(object.key);
    share.objects -= 1;
    this.#objects -= 1;
    this.#hold(share, -held);
    if (share.objects === 0 && share.oldestLeftOut === undefined) this.#shares.delete(share.name);
  }

  /** An object has its content again. */
  supplied(contender: Contender): void {
    contender.rest = undefined;
    this.#wanted.delete(contender.object.key);
  }

  /** Lets objects give way, or come in, until those have room that should. */
  fit(effects: ShareEffects): void {
    for (;;) {
      const room = effects.room(this.size);
      const isChanged = room === 'enough' ? this.#admitNext(effects) : this.#giveWay(room, effects);
      if (!isChanged) return;
    }
  }

  #giveWay(room: Exclude<Room, 'enough'>, effects: ShareEffects): boolean {
    const { mostBytes, mostObjects } = this.#ranked();
    const share = room === 'too-large' ? mostBytes.first : mostObjects.first;
    const largest = room === 'too-large' ? share?.largestIn.take() : undefined;
    if (largest !== undefined) this.#crowdOut(largest, effects);
    else if (share !== undefined) this.#leaveOut(share, effects);
    return share !== undefined;
  }

  #crowdOut(contender: Contender, effects: ShareEffects): void {
    const { object, held } = contender;
    contender.rest ??= effects.crowdOut(object);
    this.#wanted.delete(object.key);
    this.#place(contender, 'out', contender.rest - held);
  }

  #leaveOut(share: NamespaceShare, effects: ShareEffects): void {
    const youngest = share.youngest.take();
    if (youngest === undefined) return;
    share.oldestLeftOut = youngest.object;
    this.remove(youngest);
    effects.leaveOut(youngest.object);
  }

  /**
   * Admits the object that is next, if there is room for it, or if one that is in comes after it and gives way instead.
   * That one may have come first, or its namespace may hold more than before.
   */
  #admitNext(effects: ShareEffects): boolean {
    if (this.#rankings === undefined) return false;
    const { leastWithNext, mostBytes } = this.#rankings;
    const share = leastWithNext.first;
    const next = share?.smallestOut.peek();
    if (share === undefined || next === undefined) return false;
    const more = next.object.bytes - next.held;
    if (effects.room({ objects: this.#objects, bytes: this.#bytes + more }) !== 'enough') {
      const last = mostBytes.first;
      if (last === undefined || compareHeld(share.bytes + more, share, last.bytes, last) >= 0) return false;
    }
    share.smallestOut.take();
    this.#wanted.set(next.object.key, next);
    this.#place(next, 'in', more);
    return true;
  }

  #place(contender: Contender, place: 'in' | 'out', more: number): void {
    const { share } = contender;
    contender.place = place;
    (place === 'in' ? share.largestIn : share.smallestOut).add(contender);
    this.#hold(share, more);
  }

  #hold(share: NamespaceShare, more: number): void {
    share.bytes += more;
    this.#bytes += more;
    share.version += 1;
    this.#rankings?.update(share);
  }

  #shareOf({ key }: ListedObject): NamespaceShare {
    const name = namespaceOf(key);
    const known = this.#shares.get(name);
    if (known !== undefined) return known;
    const share = new NamespaceShare(name);
    this.#shares.set(name, share);
    return share;
  }

  /** Namespaces are put in order once something has no room. */
  #ranked(): Rankings {
    if (this.#rankings !== undefined) return this.#rankings;
    this.#rankings = new Rankings();
    for (const share of this.#shares.values()) this.#rankings.update(share);
    return this.#rankings;
  }
}

class Rankings {
  readonly mostBytes = new ShareRanking('most', ({ bytes }) => bytes);
  readonly mostObjects = new ShareRanking('most', ({ objects }) => objects);
  readonly leastWithNext = new ShareRanking('least', ({ bytesWithNext }) => bytesWithNext);

  update(share: NamespaceShare): void {
    this.mostBytes.update(share);
    this.mostObjects.update(share);
    this.leastWithNext.update(share);
  }
}
