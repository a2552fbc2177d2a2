/** The connection to the server: sends messages, hands on what comes, connects again when it was lost. */

import { decodeFrame, type Frame } from "./frames";
import type { ClientMessage, ServerMessage } from "./protocol";

export type ConnectionState = "connecting" | "open" | "lost" | "moved" | "unsupported";

export interface Listener {
  message(message: ServerMessage): void;
  frame(frame: Frame): void;
  state(state: ConnectionState, reason: string): void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 5000;

/** The address of the socket beside this page. */
export function socketAddress(page: string): string {
  const address = new URL("socket", page);
  address.hash = "";
  address.search = "";
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

export class Connection {
  private socket: WebSocket | null = null;
  private wait = FIRST_WAIT;
  /** Whether the server answers, but not at this address. */
  private moved = false;

  constructor(
    private readonly address: string,
    private readonly listener: Listener,
  ) {}

  open(): void {
    if (typeof WebSocket === "undefined") {
      this.listener.state("unsupported", "");
      return;
    }
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.receive(event.data as string | ArrayBuffer);
    socket.onopen = () => this.listener.state("open", "");
    socket.onclose = (event) => this.lost(event.reason);
    this.socket = socket;
  }

  /** True if the message left; false while there is no connection. */
  send(message: ClientMessage): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** A server that answers, but not at this address, was started anew. */
  private async look(): Promise<void> {
    try {
      const page = this.address.replace(/^ws/, "http").replace(/socket$/, "");
      const { status } = await fetch(page, { method: "HEAD", cache: "no-store" });
      this.moved = status === 403 || status === 404;
    } catch {
      this.moved = false; // nobody answers
    }
    if (this.moved && this.socket?.readyState !== WebSocket.OPEN) this.listener.state("moved", "");
  }

  private receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") this.wait = FIRST_WAIT; // it works: not only welcomed and sent away
    if (typeof data === "string") this.listener.message(JSON.parse(data) as ServerMessage);
    else this.listener.frame(decodeFrame(data));
  }

  private lost(reason: string): void {
    this.socket = null;
    this.listener.state(this.moved ? "moved" : "lost", reason);
    if (reason === "") void this.look();
    setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}
