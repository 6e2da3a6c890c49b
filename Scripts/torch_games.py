"""Games of Connect-4 (5 x 4) between two models, in PyTorch: what `lyceum bench games` is compared
with. The same decoder (RMSNorm, QK-norm, rotary positions, SwiGLU 176, 2 layers of 64), board planes,
a key-value cache for each player, all games at one time, boards as integers in tensors.

    python Scripts/torch_games.py [--games 384] [--threads 1]
"""
import argparse
import time

import torch
import torch.nn.functional as F

W, H, D, L, HEADS, FF = 5, 4, 64, 2, 4, 176
STEP, CELLS, HEAD = H + 1, W * H, D // HEADS
BITS = torch.tensor([1 << (c * STEP + r) for c in range(W) for r in range(H)])
BOTTOM = torch.tensor([1 << (c * STEP) for c in range(W)])
TOP = torch.tensor([1 << (c * STEP + H - 1) for c in range(W)])


def rms(x, w):
    return F.rms_norm(x, (x.shape[-1],), w, 1e-6)


class Decoder:
    def __init__(self):
        g = torch.Generator().manual_seed(1)
        n = lambda *s: torch.randn(*s, generator=g) / s[-1] ** 0.5
        self.emb, self.planes, self.head = n(W + 1, D), n(D, 2 * CELLS), torch.zeros(W + 1, D)
        self.layers = [
            dict(n1=torch.ones(D), qkv=n(3 * D, D), qn=torch.ones(HEAD), kn=torch.ones(HEAD),
                 o=torch.zeros(D, D), n2=torch.ones(D), up=n(2 * FF, D), down=torch.zeros(D, FF))
            for _ in range(L)]
        self.norm = torch.ones(D)
        angle = torch.arange(CELLS)[:, None] * 1e4 ** (-torch.arange(0, HEAD, 2) / HEAD)
        self.cos, self.sin = angle.cos(), angle.sin()

    def rotate(self, x, t):
        a, b = x.chunk(2, -1)
        c, s = self.cos[t], self.sin[t]
        return torch.cat([a * c - b * s, a * s + b * c], -1)

    def step(self, tokens, planes, cache, t):
        B = len(tokens)
        x = self.emb[tokens] + planes @ self.planes.T
        for layer, (keys, values) in zip(self.layers, cache):
            q, k, v = (rms(x, layer["n1"]) @ layer["qkv"].T).view(B, 3, HEADS, HEAD).unbind(1)
            q, k = self.rotate(rms(q, layer["qn"]), t), self.rotate(rms(k, layer["kn"]), t)
            keys[:, :, t], values[:, :, t] = k, v
            a = F.scaled_dot_product_attention(
                q[:, :, None], keys[:, :, : t + 1], values[:, :, : t + 1])
            x = x + a.reshape(B, D) @ layer["o"].T
            gate, up = (rms(x, layer["n2"]) @ layer["up"].T).chunk(2, -1)
            x = x + (F.silu(gate) * up) @ layer["down"].T
        return rms(x, self.norm) @ self.head.T


def won(s):
    out = torch.zeros_like(s, dtype=torch.bool)
    for step in (1, H, H + 1, H + 2):
        pairs = s & (s >> step)
        out |= (pairs & (pairs >> (2 * step))) != 0
    return out


@torch.inference_mode()
def play(models, games):
    mine = torch.zeros(games, dtype=torch.long)
    taken = torch.zeros(games, dtype=torch.long)
    rows = torch.arange(games)
    caches = [[(torch.zeros(games, HEADS, CELLS, HEAD), torch.zeros(games, HEADS, CELLS, HEAD))
               for _ in range(L)] for _ in models]
    tokens = torch.full((games,), W)
    moves = 0
    for t in range(CELLS):
        theirs = mine ^ taken
        planes = torch.cat(
            [(mine[:, None] & BITS) != 0, (theirs[:, None] & BITS) != 0], 1).float()
        # Both players read every move; half of the games the first of them begins.
        both = [m.step(tokens, planes, cache, t)[:, :W] for m, cache in zip(models, caches)]
        logits = torch.where(((rows + t) % 2 == 0)[:, None], both[0], both[1])
        logits = logits.masked_fill((taken[:, None] & TOP) != 0, float("-inf"))
        tokens = torch.multinomial(logits.softmax(-1), 1)[:, 0]
        taken = taken | (taken + BOTTOM[tokens])
        mine = theirs
        moves += len(rows)
        # Games that are over leave the batch.
        keep = ~won(mine ^ taken)
        if not keep.all():
            rows, mine, taken, tokens = rows[keep], mine[keep], taken[keep], tokens[keep]
            caches = [[(k[keep], v[keep]) for k, v in cache] for cache in caches]
        if len(rows) == 0:
            break
    return moves


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--games", type=int, default=384)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    models, best, moves = [Decoder(), Decoder()], float("inf"), 0
    for _ in range(args.repeats + 1):
        start = time.perf_counter()
        moves = play(models, args.games)
        best = min(best, time.perf_counter() - start)
    print(f"{args.games / best:.0f} games/s, {moves / best:.0f} moves/s")
