// One thing that an administrator tries at a time: whether it is under way, and why the last was not done.

export class Attempt {
  busy = $state(false);
  /** Why the last thing was not done; said in the language of the page. */
  failure = $state.raw<unknown>(null);

  async make(act: () => Promise<void>): Promise<void> {
    this.failure = null;
    this.busy = true;
    await act().catch((error: unknown) => (this.failure = error));
    this.busy = false;
  }
}
