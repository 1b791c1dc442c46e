import { isJsonObject } from '../../json/json.ts';

/** A document that is not what the endpoint is known to send. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
}

/** Reads the members of a JSON object from outside. Each method throws a DocumentError that names the member. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path = '') {
    if (!isJsonObject(value)) throw new DocumentError(`${path === '' ? 'the document' : path} is no object`);
    this.#object = value;
    this.#path = path;
  }

  text(name: string): string {
    const value = this.#object[name];
    return typeof value === 'string' ? value : this.#fail(name, 'no text');
  }

  /** A text that may be null or missing. */
  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  number(name: string): number {
    const value = this.#object[name];
    return typeof value === 'number' ? value : this.#fail(name, 'no number');
  }

  optionalNumber(name: string): number | undefined {
    return this.has(name) ? this.number(name) : undefined;
  }

  flag(name: string): boolean {
    const value = this.#object[name];
    return typeof value === 'boolean' ? value : this.#fail(name, 'neither true nor false');
  }

  word<const T extends string>(name: string, words: readonly T[]): T {
    const value = this.text(name);
    return words.find((word) => word === value) ?? this.#fail(name, `none of ${words.join(', ')}`);
  }

  list<T>(name: string, decode: (value: unknown, path: string) => T): readonly T[] {
    const value = this.#object[name];
    if (!Array.isArray(value)) return this.#fail(name, 'no list');
    return value.map((entry: unknown, at) => decode(entry, `${this.#pathOf(name)}[${at}]`));
  }

  object(name: string): Fields {
    return new Fields(this.#object[name], this.#pathOf(name));
  }

  optionalObject(name: string): Fields | undefined {
    return this.has(name) ? this.object(name) : undefined;
  }

  has(name: string): boolean {
    return (this.#object[name] ?? null) !== null;
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #fail(name: string, problem: string): never {
    throw new DocumentError(`${this.#pathOf(name)} is ${problem}`);
  }
}

/** A text of a list. */
export function textEntry(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw new DocumentError(`${path} is no text`);
}
