/** Makes certificates for tests, so that no private key need lie in the repository. */

/** A certificate that vouches for itself, and its key, as PEM text and as files. */
export interface TestCertificate extends AsyncDisposable {
  cert: string;
  key: string;
  certFile: string;
  keyFile: string;
}

/**
 * Makes a certificate with openssl.
 *
 * @param names What it is made out to, as openssl writes it.
 * @param extra Further arguments of `openssl req`.
 */
export async function makeCertificate(
  names = "DNS:localhost,IP:127.0.0.1,IP:::1",
  extra: string[] = ["-addext", "basicConstraints=critical,CA:FALSE"],
): Promise<TestCertificate> {
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  const [certFile, keyFile] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", keyFile, "-out", certFile, "-days", "2", "-subj", "/CN=labwire test"],
      ...["-addext", `subjectAltName=${names}`, ...extra],
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return {
    cert: await Deno.readTextFile(certFile),
    key: await Deno.readTextFile(keyFile),
    certFile,
    keyFile,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
