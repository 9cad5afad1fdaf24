"""A noisy melody in the frequency domain, with a wave file that a cell wrote."""
# %%
import wave, struct
import numpy as np
# %%
rate, seconds = 2000, 1.0
t = np.arange(int(rate * seconds)) / rate
clean = 0.5 * np.sin(2 * np.pi * 110 * t) + 0.3 * np.sin(2 * np.pi * 220 * t)
noisy = clean + 0.4 * np.random.standard_normal(len(t))
# %%
with wave.open("melody.wav", "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(rate)
    out.writeframes(struct.pack(f"<{len(noisy)}h", *(np.clip(noisy, -1, 1) * 32767).astype(int)))
# %%
!ls
# %%
with wave.open("melody.wav") as w:
    frames = w.readframes(w.getnframes())
signal = np.frombuffer(frames, dtype="<i2") / 32767
len(signal)
# %%
spectrum = np.fft.rfft(signal)
freqs = np.fft.rfftfreq(len(signal), 1 / rate)
freqs[np.argsort(np.abs(spectrum))[-3:]]
# %%
def snr(estimate):
    return 10 * np.log10(np.sum(clean**2) / np.sum((estimate - clean) ** 2))
snr(signal)
# %%
%%track filter
for keep in (1, 2, 4, 8, 16, 64, 256):
    strongest = np.argsort(np.abs(spectrum))[-keep:]
    masked = np.zeros_like(spectrum)
    masked[strongest] = spectrum[strongest]
    restored = np.fft.irfft(masked, n=len(signal))
    snr_score = snr(restored)
    mse_loss = np.mean((restored - clean) ** 2)
