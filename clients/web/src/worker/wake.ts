// A line on which the node says "there is something new for you". Without it the tablet asks now and then.

const PROTOCOL = "dongbo.wake";
/** A line that could not be opened is tried again no sooner. */
const AGAIN_MS = 60_000;
/** A node that ends wakes everybody at once; they come back spread over this long. */
const SPREAD_MS = 2_000;

export class WakeLine {
  #socket: WebSocket | null = null;
  #notBefore = 0;
  #ended = false;

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
    socket.onmessage = () => this.news(0);
    socket.onclose = () => {
      this.#socket = null;
      if (this.#ended || !opened) return;
      this.#notBefore = 0;
      this.news(Math.random() * SPREAD_MS);
    };
  }

  end(): void {
    this.#ended = true;
    this.#socket?.close();
  }
}
