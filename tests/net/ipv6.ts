/** For a test's name and `ignore`: whether this computer has ::1, which many containers have not. */
export const ipv6: { readonly ignore: boolean; readonly note: string } = (() => {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return { ignore: false, note: "" };
  } catch {
    return { ignore: true, note: " (needs ::1)" };
  }
})();

/** The loopback addresses, each with what it needs. */
export const LOOPBACKS = [
  { hostname: "127.0.0.1", ignore: false, note: "" },
  { hostname: "::1", ...ipv6 },
] as const;
