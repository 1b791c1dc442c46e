import TransportStream from 'winston-transport';

/** Maximum age of a buffered line, in milliseconds. */
const flushInterval = 10;

/** Characters that trigger a flush. A pipe of Linux buffers 64 KiB, so that the write does not block. */
const maxBuffered = 16 * 1024;

/**
 * Buffers lines so that many of them share one system call: nodes that reconnect log thousands of lines. Flushes every
 * 10 milliseconds, at 16 Ki characters, with each error, and at exit. A process that is killed loses at most the last
 * 10 milliseconds.
 */
export class BufferedTransport extends TransportStream {
  readonly #write: (text: string) => void;
  #buffer = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param write writes synchronously if the stream has room */
  constructor(write: (text: string) => void) {
    super();
    this.#write = write;
    process.once('exit', () => this.#flush());
  }

  override log(info: LogEntry, next: () => void): void {
    this.#buffer += `${info[formatted]}\n`;
    if (info.level === 'error' || this.#buffer.length > maxBuffered) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushInterval).unref();
    next();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#buffer;
    this.#buffer = '';
    if (lines !== '') this.#write(lines);
  }
}

/** The key under which winston's format stores the formatted line. */
const formatted: unique symbol = Symbol.for('message');

interface LogEntry {
  readonly level: string;
  readonly [formatted]: string;
}
