"""Key stores for TLS, as Java makes them."""
import subprocess

PASSWORD = "changeit"


def make_stores(folder, kind):
    """A server's key, a client's key, and a store that trusts each; `kind`: JKS or PKCS12."""
    stores = {"keystore": folder / f"server.{kind}", "truststore": folder / f"trusted.{kind}",
              "client-keystore": folder / f"client.{kind}", "client-truststore": folder / f"clients.{kind}"}
    for owner, keys, trusted in (("server", "keystore", "truststore"), ("client", "client-keystore", "client-truststore")):
        common = ["-storetype", kind, "-storepass", PASSWORD, "-alias", owner]
        certificate = folder / f"{owner}.crt"
        for command in (["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-dname", f"CN={owner}", "-validity", "2",
                         "-ext", "san=ip:127.0.0.1", "-keypass", PASSWORD, "-keystore", stores[keys]],
                        ["-exportcert", "-rfc", "-file", certificate, "-keystore", stores[keys]],
                        ["-importcert", "-noprompt", "-file", certificate, "-keystore", stores[trusted]]):
            subprocess.run(["keytool", *command, *common], check=True, capture_output=True, timeout=60)
    return stores
