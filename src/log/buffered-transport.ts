import TransportStream from 'winston-transport';

/** Maximum age of a buffered line, in milliseconds. */
const flushInterval = 10;

/** Characters that trigger a flush. A pipe of Linux buffers 64 KiB, so that the write does not block. */
const maxBuffered = 16 * 1024;

/** Characters that wait for a reader of the stream. Lines beyond are lost: without one, they would fill the memory. */
const maxUnread = 1024 * 1024;

/** A stream that text is written to, synchronously if it has room. */
interface Output {
  /** How much waits. */
  readonly writableLength: number;
  write(text: string): unknown;
  once(event: 'drain', listener: () => void): unknown;
}

/**
 * Buffers lines so that many of them share one system call: nodes that reconnect log thousands of lines. Flushes every
 * 10 milliseconds, at 16 Ki characters, with each error, and at exit. A process that is killed loses at most the last
 * 10 milliseconds.
 */
export class BufferedTransport extends TransportStream {
  readonly #output: Output;
  readonly #lost: (lines: number) => void;
  #buffer = '';
  #lines = 0;
  #lostLines = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param lost called when the stream is read again, with the number of lines that were lost meanwhile */
  constructor(output: Output, lost: (lines: number) => void) {
    super();
    this.#output = output;
    this.#lost = lost;
    process.once('exit', () => this.#flush());
  }

  override log(info: LogEntry, next: () => void): void {
    this.#buffer += `${info[formatted]}\n`;
    this.#lines += 1;
    if (info.level === 'error' || this.#buffer.length > maxBuffered) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushInterval).unref();
    next();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [text, lines] = [this.#buffer, this.#lines];
    this.#buffer = '';
    this.#lines = 0;
    if (lines === 0) return;
    if (this.#output.writableLength <= maxUnread) {
      this.#output.write(text);
      return;
    }
    if (this.#lostLines === 0) this.#output.once('drain', () => this.#sayLost());
    this.#lostLines += lines;
  }

  #sayLost(): void {
    const lines = this.#lostLines;
    this.#lostLines = 0;
    this.#lost(lines);
  }
}

/** The key under which winston's format stores the formatted line. */
const formatted: unique symbol = Symbol.for('message');

interface LogEntry {
  readonly level: string;
  readonly [formatted]: string;
}
