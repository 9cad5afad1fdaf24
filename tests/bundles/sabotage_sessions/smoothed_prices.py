"""Prices are smoothed by a package's default width, then a threshold rule is tried."""
# %%
import random
import tinystats
# %%
price, prices = 100.0, []
for day in range(200):
    price *= 1 + random.gauss(0.0004, 0.01)
    prices.append(price)
# %%
max(prices), min(prices)
# %%
trend = tinystats.smoothed(prices)
trend[-3:]
# %%
def gain(band):
    cash, held = 1.0, 0.0
    for p, s in zip(prices, trend):
        if held == 0 and p > s * (1 + band):
            cash, held = 0.0, cash / p
        elif held and p < s * (1 - band):
            cash, held = held * p, 0.0
    return cash + held * prices[-1]
# %%
gain(0.01)
# %%
%%track bands
for band in (0.0, 0.005, 0.01, 0.02, 0.03):
    total_gain_score = gain(band)
    spread_loss = sum(abs(p - s) for p, s in zip(prices, trend)) / len(prices)
