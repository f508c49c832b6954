// A line on which the node says "there is something new for you". Without it the tablet asks now and then.

const PROTOCOL = "dongbo.wake";
/** A line that could not be opened is tried again no sooner. */
const AGAIN_MS = 60_000;
/** Between the word and asking, milliseconds: what comes at the same time comes in one exchange, and a desk that is
    open shows first what it was told on a line of its own. */
const WOKEN_MS = 250;
/** A node that ends wakes everybody at once; they come back spread over this long. */
const SPREAD_MS = 2_000;

export class WakeLine {
  #socket: WebSocket | null = null;
  #notBefore = 0;
  #ended = false;
  /** A word that came and is not passed on yet. */
  #word: ReturnType<typeof setTimeout> | undefined;

  /** `news` is called when there is something to ask for, and after an open line was lost. */
  constructor(
    private readonly token: () => Promise<string>,
    private readonly news: (afterMilliseconds: number) => void,
  ) {}

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Opens the line, unless it is open, or failed a moment ago. */
  async open(): Promise<void> {
    if (this.#ended || this.#socket || performance.now() < this.#notBefore) return;
    this.#notBefore = performance.now() + AGAIN_MS;
    const token = await this.token().catch(() => null);
    if (token === null || this.#ended || this.#socket) return;
    const address = `${location.origin.replace(/^http/, "ws")}/v1/live`;
    // A WebSocket carries no header but this list: the token never stands in an address.
    const socket = new WebSocket(address, [PROTOCOL, `bearer.${token}`]);
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      // What came between the last exchange and now was not told.
      this.news(0);
    };
    socket.onmessage = () => (this.#word ??= setTimeout(() => this.#woken(), WOKEN_MS));
    socket.onclose = () => {
      this.#socket = null;
      if (this.#ended || !opened) return;
      this.#notBefore = 0;
      this.news(Math.random() * SPREAD_MS);
    };
  }

  #woken(): void {
    this.#word = undefined;
    if (!this.#ended) this.news(0);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#word);
    this.#socket?.close();
  }
}
