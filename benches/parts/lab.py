"""The private folder of a run: certificates, the providers, and what starts and ends them."""

import json
import os
import pathlib
import shutil
import subprocess
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent.parent
PROVIDER = "oidc-provider@9.13.3"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def environment(home, **more):
    """What a measured program sees: nothing of the person who measures."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "NO_PROXY": "127.0.0.1", **more}


class Lab:
    """Everything that a run needs beside the measured programs. Ends what it started."""

    def __init__(self, folder, plain):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._certificates()
        self._packages()
        self.floor = self._floor()
        self.started = subprocess.Popen(
            ["node", "--no-warnings", str(HERE / "provider.mjs"), str(self.folder), str(plain)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=open(self.folder / "provider.log", "wb"),
            text=True,
        )
        line = self.started.stdout.readline()
        if not line:
            raise SystemExit(f"the provider did not start: see {self.folder / 'provider.log'}")
        said = json.loads(line)
        self.issuers, self._control = said["issuers"], said["control"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.started.stdin.close()
        self.started.wait(timeout=10)

    @property
    def trusted(self):
        """The system's certificate authorities and ours: what a user's machine reads, not one certificate alone."""
        return self.folder / "bundle.pem"

    def minted(self, client, person, issuer=0):
        """A refresh token, as a login would give it."""
        return self._ask("GET", f"/{issuer}/mint?client={client}&person={person}")

    def front(self, issuer, mode="real", delay=0, expires=3600):
        """How an issuer's token endpoint answers from now on: `real`, `canned` or `hang`, after `delay` ms."""
        self._ask("POST", f"/{issuer}?mode={mode}&delay={delay}&expires={expires}")

    def counted(self, issuer):
        """What an issuer was asked since the last call: `token`, `refused`, `other`."""
        return self._ask("GET", f"/{issuer}")

    def _ask(self, method, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(self._control + path, method=method, data=b"" if method == "POST" else None)
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read())

    def _certificates(self):
        if self.trusted.exists():
            return
        make = lambda *words: subprocess.run(["openssl", *words], cwd=self.folder, check=True, stderr=subprocess.DEVNULL)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        make("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=toktui benchmark")
        make("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1")
        (self.folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        make("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "30", "-extfile", "names", "-out", "cert.pem")
        system = pathlib.Path(BUNDLE).read_text() if os.path.exists(BUNDLE) else ""
        self.trusted.write_text(system + (self.folder / "ca.pem").read_text())

    def _packages(self):
        if not (self.folder / "node_modules" / "oidc-provider").exists():
            subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix",
                            str(self.folder), PROVIDER], check=True, stdout=subprocess.DEVNULL)

    def _floor(self):
        """The least that a Rust program can be: it prints one word."""
        program = self.folder / "floor"
        if not program.exists():
            source = self.folder / "floor.rs"
            source.write_text('fn main() {\n    println!("floor");\n}\n')
            subprocess.run([shutil.which("rustc"), "-O", "-C", "strip=symbols", "-o", str(program), str(source)], check=True)
        return str(program)


def secret(client):
    """The secret of a client: in provider.mjs made the same way."""
    return f"{client}-secret-of-the-benchmark-0123456789"
