// Which build of the app this is: the same sources and the same core have the same name.

declare const __APP_VERSION__: string;
export const VERSION: string = __APP_VERSION__;
