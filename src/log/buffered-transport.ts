import TransportStream from 'winston-transport';

/** Milliseconds for which a line may wait for others. */
const longest = 10;

/** So many characters wait at most. A pipe takes four times as many at once, so that they leave at once. */
const largest = 16 * 1024;

/**
 * Where the lines of the log leave. Each write is a call of the operating system, and a fleet that connects makes
 * thousands of lines: so lines wait a moment for others. An error waits for nothing, and when the program ends all
 * that wait are written before. A process that is killed, or that V8 ends, loses those of the last ten milliseconds.
 */
export class LogLines extends TransportStream {
  readonly #write: (text: string) => void;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param write writes a text, before it returns if there is room for it */
  constructor(write: (text: string) => void) {
    super();
    this.#write = write;
    process.once('exit', () => this.#flush());
  }

  override log(info: LogEntry, next: () => void): void {
    this.#lines += `${info[formatted]}\n`;
    if (info.level === 'error' || this.#lines.length > largest) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), longest).unref();
    next();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#write(lines);
  }
}

/** Where winston leaves what a line looks like. */
const formatted: unique symbol = Symbol.for('message');

interface LogEntry {
  readonly level: string;
  readonly [formatted]: string;
}
